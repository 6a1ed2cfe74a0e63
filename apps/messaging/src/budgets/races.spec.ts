import { type Database, newId, type Transaction } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messagingDatabase } from '../../test/messaging-database.js';
import { recordAgent } from '../agents/agents.repository.js';
import { recordBlock } from './budgets.repository.js';

type Work = (tx: Transaction) => Promise<unknown>;

describe('an agent that is recorded while a budget of its account changes', () => {
  let database: Database;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    ({ database, drop } = await messagingDatabase());
  });
  afterAll(() => drop());

  /** Begins `second` when `first` has written and not committed yet, which it does once `second` waits or has ended. */
  async function atOnce(first: Work, second: Work): Promise<void> {
    let hasEnded = false;
    let other: Promise<unknown> = Promise.resolve();
    await database.transaction(async (tx) => {
      await first(tx);
      other = database.transaction(second).finally(() => (hasEnded = true));
      await until('it waits or has ended', async () => hasEnded || (await isOneWaiting()));
    });
    await other;
  }
  const isOneWaiting = async () => {
    const waiting = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  };

  const paused = { status: 'paused', lacks_budget: true };
  const active = { status: 'active', lacks_budget: false };

  it.each([
    { agent: 'known', begins: 'block', isExhausted: false, ends: active },
    { agent: 'known', begins: 'block', isExhausted: true, ends: paused },
    { agent: 'new', begins: 'block', isExhausted: false, ends: active },
    { agent: 'new', begins: 'block', isExhausted: true, ends: paused },
    { agent: 'known', begins: 'agent', isExhausted: false, ends: active },
    { agent: 'known', begins: 'agent', isExhausted: true, ends: paused },
    { agent: 'new', begins: 'agent', isExhausted: false, ends: active },
    { agent: 'new', begins: 'agent', isExhausted: true, ends: paused },
  ])('a $agent one, the $begins first, exhausted: $isExhausted', async ({ agent, begins, isExhausted, ends }) => {
    const [accountId, agentId, budgetId] = [newId(), newId(), newId()];
    const change = (revision: number, exhausted: boolean) => (tx: Transaction) =>
      recordBlock(tx, { budgetId, accountId, agentId: null, isExhausted: exhausted, until: new Date(), revision });
    const record = (revision: number) => (tx: Transaction) =>
      recordAgent(tx, { agentId, accountId, status: 'active', revision });
    await database.transaction(change(1, !isExhausted));
    if (agent === 'known') await database.transaction(record(1));
    const [block, state] = [change(2, isExhausted), record(2)];
    await (begins === 'block' ? atOnce(block, state) : atOnce(state, block));
    const rows = await database.query(`SELECT status, lacks_budget FROM agents WHERE agent_id = $1`, [agentId]);
    expect(rows).toEqual([ends]);
  });
});
