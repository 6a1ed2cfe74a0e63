import { Database, newId, type Transaction } from '#lib/database';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  addAgent,
  addAgentEndpoint,
  addEndpoint,
  deleteAgent,
  deleteEndpoint,
  lockEndpoint,
  updateEndpoint,
} from '../endpoints/endpoints.repository.js';
import { migrations } from '../migrations/index.js';
import { deleteOfEndpoint, planDeliveries } from './deliveries.repository.js';

type Work = (tx: Transaction) => Promise<unknown>;

describe('a delivery that is planned', () => {
  let server: FreshDatabase;
  let database: Database;
  let endpointId: string;
  const [accountId, agentId] = [newId(), newId()];
  const endpoint = { url: 'http://x/', events: ['*' as const], agentIds: null, description: null, enabled: true };

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 5 });
  });
  beforeEach(async () => {
    endpointId = newId();
    await database.transaction(async (tx) => {
      await addAgent(tx, agentId, accountId);
      await addEndpoint(tx, accountId, { ...endpoint, id: endpointId, sealedSecret: 's' });
    });
  });
  afterEach(async () => {
    for (const table of ['endpoints', 'deliveries', 'events', 'agents']) await database.query(`DELETE FROM ${table}`);
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const plan: Work = (tx) =>
    planDeliveries(tx, { id: newId(), accountId, agentId, type: 'message.completed', body: '{}' });
  /** As `EndpointsService.delete`. */
  const remove: Work = async (tx) => {
    await lockEndpoint(tx, accountId, endpointId);
    await deleteOfEndpoint(tx, endpointId);
    await deleteEndpoint(tx, endpointId);
  };
  /** Begins `work` and resolves when it has ended, or when so many transactions wait for others. */
  async function begin(work: Work, mostWaiting = 1): Promise<{ ended: Promise<unknown> }> {
    let hasEnded = false;
    const ended = database.transaction(work).finally(() => (hasEnded = true));
    await until('it waits or has ended', async () => hasEnded || (await countWaiting()) === mostWaiting);
    return { ended };
  }
  const countWaiting = async () => {
    const waiting = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return waiting.length;
  };
  /** Begins `second` when `first` has written and not committed yet. */
  async function atOnce(first: Work, second: Work): Promise<void> {
    let begun: Awaited<ReturnType<typeof begin>> | undefined;
    await database.transaction(async (tx) => {
      await first(tx);
      begun = await begin(second);
    });
    await begun?.ended;
  }
  const left = async () => ({
    deliveries: await database.query(`SELECT id FROM deliveries`),
    queue: await database.query(`SELECT delivery_id FROM queue`),
  });

  it('before its endpoint is deleted goes with it', async () => {
    await atOnce(plan, remove);
    expect(await left()).toEqual({ deliveries: [], queue: [] });
  });

  it('after its endpoint was deleted is none', async () => {
    await atOnce(remove, plan);
    expect(await left()).toEqual({ deliveries: [], queue: [] });
  });

  it('goes by what its endpoint wants once a change of it has ended', async () => {
    const change: Work = async (tx) => {
      await lockEndpoint(tx, accountId, endpointId);
      await updateEndpoint(tx, endpointId, { ...endpoint, events: ['agent.deleted'] });
    };
    await atOnce(change, plan);
    expect(await left()).toEqual({ deliveries: [], queue: [] });
  });

  it('and the deletion of its agent do not wait for each other', async () => {
    const whose = { accountId, agentId };
    await database.transaction(async (tx) => {
      for (const type of ['message.completed', 'agent.error'])
        await addAgentEndpoint(tx, whose, { id: newId(), url: 'http://x/', type, sealedSecret: 's' });
    });
    let times = 0;
    const counted = (work: Work): Work => {
      return (tx) => {
        times += 1;
        return work(tx);
      };
    };
    let begun: { ended: Promise<unknown> }[] = [];
    await database.transaction(async (tx) => {
      await tx.query(`SELECT 1 FROM endpoints WHERE source = 'agent' FOR UPDATE`);
      const deletion = await begin(counted((own) => deleteAgent(own, agentId)));
      begun = [deletion, await begin(counted(plan), 2)];
    });
    await Promise.all(begun.map(({ ended }) => ended));
    expect(times, 'one of them was run again after a deadlock').toBe(2);
    expect(await left()).toEqual({ deliveries: [], queue: [] });
  });
});
