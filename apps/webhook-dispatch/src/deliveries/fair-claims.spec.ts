import { createWebhookEndpoint } from '#lib/contracts';
import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../migrations/index.js';
import { claimOf } from '../../test/claim-of.js';
import { pagesRead } from '../../test/pages-read.js';
import { startReceiver } from '../../test/receiver.js';
import { startDispatch } from '../../test/start-dispatch.js';
import { AccountLoad } from './account-load.js';
import { ACCOUNT_BATCH, CLAIM_BATCH, claimDeliveries, queueDueRetries } from './claims.repository.js';
import { oldestDueSeconds } from './queue.repository.js';

/** Pages of the queue that one claim of 251 may read beside 100,000 deliveries that wait. Looking at each takes over 100,000. */
const MAX_PAGES = 4_000;
const EACH = 40;

/** Endpoints of an account with deliveries that wait, without their history. `at` begins the endpoints' ids. */
async function flood(rows: Database, accountId: string, endpoints: number, each: number, at = '0') {
  await rows.query(
    `WITH event AS (INSERT INTO events (id, account_id, type, body) VALUES (gen_random_uuid(), $1, 'e', '{}') RETURNING id),
     endpoint AS (
       INSERT INTO endpoints (id, account_id, source, url, events, sealed_secret)
       SELECT overlay(gen_random_uuid()::text PLACING $4 FROM 1)::uuid, $1, 'account', 'http://x/', '{*}', 's'
       FROM generate_series(1, $2::integer) RETURNING id)
     INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
     SELECT gen_random_uuid(), $1, endpoint.id, event.id FROM event, endpoint, generate_series(1, $3::integer)`,
    [accountId, endpoints, each, at],
  );
}

describe('claims of deliveries', () => {
  let server: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 2 });
  });
  beforeEach(() => database.query(`TRUNCATE endpoints, queue, events`));
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it('serve an account at once beside another that has 100,000 waiting at many endpoints', async () => {
    const [flooding, good] = [randomUUID(), randomUUID()];
    // The statement is planned while the queue is empty.
    for (let n = 0; n < 10; n += 1) await claimDeliveries(database, claimOf(EACH));
    await flood(database, flooding, 50, 2_000);
    await flood(database, good, 1, 1, 'f');
    const before = await pagesRead(database, ['queue']);
    const claimed = await claimDeliveries(database, { ...claimOf(EACH), accounts: { of: new Map(), default: 500 } });
    expect(claimed.filter(({ account_id }) => account_id === good)).toHaveLength(1);
    expect(claimed.filter(({ account_id }) => account_id === flooding)).toHaveLength(CLAIM_BATCH / 2);
    expect((await pagesRead(database, ['queue'])) - before).toBeLessThan(MAX_PAGES);
  });

  it('cost what is due costs, however many wait for their next try at however many endpoints', async () => {
    await database.query(`
      WITH event AS (INSERT INTO events (id, account_id, type, body) VALUES (gen_random_uuid(), gen_random_uuid(), 'e', '{}') RETURNING id),
      endpoint AS (
        INSERT INTO endpoints (id, account_id, source, url, events, sealed_secret)
        SELECT gen_random_uuid(), gen_random_uuid(), 'account', 'http://x/', '{*}', 's' FROM generate_series(1, 20000)
        RETURNING id, account_id)
      INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id, due_at)
      SELECT gen_random_uuid(), endpoint.account_id, endpoint.id, event.id, now() + n * interval '1 hour'
      FROM event, endpoint, generate_series(1, 5) n`);
    await flood(database, randomUUID(), 2, 3);
    const before = await pagesRead(database, ['queue']);
    expect(await claimDeliveries(database, claimOf(EACH))).toHaveLength(6);
    expect((await pagesRead(database, ['queue'])) - before).toBeLessThan(100);
    await queueDueRetries(database);
    expect(await oldestDueSeconds(database)).toBeLessThan(60);
    expect((await pagesRead(database, ['queue'])) - before).toBeLessThan(200);
  });

  it('take what has come to its time, the longest due first', async () => {
    await flood(database, randomUUID(), 1, 3);
    await database.query(`UPDATE queue SET due_at = now() + interval '1 hour'`);
    await queueDueRetries(database);
    expect(await claimDeliveries(database, claimOf(EACH))).toEqual([]);
    // As time does: nobody writes the row when its hour has come.
    await database.query(`ALTER TABLE queue DISABLE TRIGGER queue_keep_is_due`);
    await database.query(`UPDATE queue SET due_at = now()`);
    await database.query(`ALTER TABLE queue ENABLE TRIGGER queue_keep_is_due`);
    expect(await claimDeliveries(database, claimOf(EACH))).toEqual([]);
    await queueDueRetries(database);
    expect(await claimDeliveries(database, claimOf(EACH))).toHaveLength(3);
  });

  it('look at some hundred endpoints of an account at a time, and come to all', async () => {
    const account = randomUUID();
    await flood(database, account, 400, 1);
    const seen = new Set<string>();
    for (let n = 0; n < 40 && seen.size < 400; n += 1)
      for (const { endpoint_id } of await claimDeliveries(database, claimOf(EACH))) seen.add(endpoint_id);
    expect(seen.size).toBe(400);
  });

  it('rotate: no account is served twice before all others that wait were', async () => {
    const accounts = Array.from({ length: 13 }, () => randomUUID());
    for (const accountId of accounts) await flood(database, accountId, 2, 150);
    const load = new AccountLoad(10_000, 1);
    const rounds: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const request = { ...claimOf(ACCOUNT_BATCH), ...load.request() };
      const claimed = await claimDeliveries(database, request);
      expect(claimed).toHaveLength(CLAIM_BATCH);
      load.claimed(claimed, request.accounts, true);
      rounds.push(...new Set(claimed.map(({ account_id }) => account_id)));
    }
    expect(new Set(rounds.slice(0, 10)).size).toBe(10);
    expect(new Set(rounds).size).toBe(13);
  });

  it('take no more of an account than there is capacity for, first of endpoints that hold least', async () => {
    const account = randomUUID();
    await flood(database, account, 3, 50);
    const [first, second] = await database.query<{ id: string }>(`SELECT id FROM endpoints ORDER BY id`);
    const endpoints = {
      of: new Map([
        [first!.id, 0],
        [second!.id, 10],
      ]),
      default: EACH,
    };
    const take = (capacity: number) =>
      claimDeliveries(database, {
        ...claimOf(EACH),
        endpoints,
        accounts: { of: new Map([[account, capacity]]), default: 0 },
      });
    const claimed = await take(45);
    expect(claimed.filter(({ endpoint_id }) => endpoint_id === second!.id)).toHaveLength(5);
    expect(claimed.filter(({ endpoint_id }) => endpoint_id === first!.id)).toHaveLength(0);
    expect(claimed).toHaveLength(45);
    await expect(take(0)).resolves.toEqual([]);
  });
});

describe('requests of an account', () => {
  it('are bounded over all its endpoints, and delay nobody else', async () => {
    const dispatch = await startDispatch({
      ROOST_WEBHOOK_CONCURRENCY: '2',
      ROOST_ACCOUNT_WEBHOOK_CONCURRENCY: '4',
    });
    let open = 0;
    let most = 0;
    const hanging = await startReceiver((response) => {
      most = Math.max(most, ++open);
      response.on('close', () => (open -= 1));
    });
    const quick = await startReceiver();
    try {
      await dispatch.endpoint(quick.url);
      const flooding = { ...dispatch.call(), accountId: randomUUID() };
      const endpoint = { url: hanging.url, events: ['*' as const], agentIds: null, description: null, enabled: true };
      for (let n = 0; n < 10; n += 1) await dispatch.bus.request(createWebhookEndpoint, endpoint, flooding);
      await dispatch.rows.query(
        `WITH event AS (INSERT INTO events (id, account_id, type, body) VALUES (gen_random_uuid(), $1, 'e', '{}') RETURNING id)
         INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
         SELECT gen_random_uuid(), $1, endpoints.id, event.id FROM event, endpoints, generate_series(1, 50)
         WHERE endpoints.account_id = $1`,
        [flooding.accountId],
      );
      await until('the flood has begun', () => open >= 4);
      const agentId = randomUUID();
      dispatch.agents.set(agentId, {});
      await dispatch.complete(agentId);
      await until('the other account’s arrives', () => quick.received.length === 1);
      // The next one may be there a moment before the receiver sees that one which took too long was given up.
      expect(most).toBeLessThanOrEqual(8);
    } finally {
      hanging.close();
      quick.close();
      await dispatch.stop();
    }
  });
});

/** Of all sessions; PostgreSQL reports it once a session has nothing to do, or when it is asked to. */
