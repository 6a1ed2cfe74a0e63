import { type Database, newId, type Transaction } from '#lib/database';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messagingDatabase } from '../../test/messaging-database.js';
import { forgetAgent, recordAgent } from '../agents/agents.repository.js';
import { recordBlock } from './budgets.repository.js';

type Work = (tx: Transaction) => Promise<unknown>;

describe('an agent whose account has a budget', () => {
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

  const ofAccount = { agentId: null, until: new Date() };
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
  ])(
    'follows it, though both change at once: $agent, the $begins first, exhausted: $isExhausted',
    async ({ agent, begins, isExhausted, ends }) => {
      const [accountId, agentId, budgetId] = [newId(), newId(), newId()];
      const change = (revision: number, exhausted: boolean) => (tx: Transaction) =>
        recordBlock(tx, { ...ofAccount, budgetId, accountId, isExhausted: exhausted, revision });
      const record = (revision: number) => (tx: Transaction) =>
        recordAgent(tx, { agentId, accountId, status: 'active', revision });
      await database.transaction(change(1, !isExhausted));
      if (agent === 'known') await database.transaction(record(1));
      const [block, state] = [change(2, isExhausted), record(2)];
      await (begins === 'block' ? atOnce(block, state) : atOnce(state, block));
      const rows = await database.query(`SELECT status, lacks_budget FROM agents WHERE agent_id = $1`, [agentId]);
      expect(rows).toEqual([ends]);
    },
  );

  it('stays deleted when it is reset, though nothing came of the agent in between', async () => {
    const [accountId, agentId] = [newId(), newId()];
    const block = { ...ofAccount, budgetId: newId(), accountId };
    await database.transaction(async (tx) => {
      await recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 });
      await recordBlock(tx, { ...block, isExhausted: true, revision: 1 });
      await forgetAgent(tx, agentId, accountId, 3);
    });
    expect(await database.transaction((tx) => recordBlock(tx, { ...block, isExhausted: false, revision: 2 }))).toBe(
      false,
    );
    const rows = await database.query(`SELECT status FROM agents WHERE agent_id = $1`, [agentId]);
    expect(rows).toEqual([{ status: 'deleted' }]);
  });
});
