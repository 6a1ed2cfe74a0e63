import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../migrations/index.js';
import { claimOf } from '../../test/claim-of.js';
import { claimDeliveries, type ClaimedDelivery } from './claims.repository.js';
import { releaseDeliveries, sendAgain } from './queue.repository.js';
import { OutcomeRecorder, recordOutcomes } from './outcome-recorder.js';
import type { Outcome } from './send-delivery.js';

describe('a lease of a delivery', () => {
  let server: FreshDatabase;
  let database: Database;
  const [accountId, endpointId] = [randomUUID(), randomUUID()];

  const plan = (count: number) =>
    database.query(
      `WITH event AS (INSERT INTO events (id, account_id, type, body) SELECT gen_random_uuid(), $1, 'e', '{}' FROM generate_series(1, $3::integer) RETURNING id)
       INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) SELECT $1, $2, id, 'e' FROM event`,
      [accountId, endpointId, count],
    );
  const claim = () => claimDeliveries(database, claimOf(500));
  const claimOne = async () => (await claim())[0] as ClaimedDelivery;
  const record = (delivery: ClaimedDelivery, status: Outcome['status'] = 'succeeded') =>
    database.transaction((tx) => recordOutcomes(tx, [{ ...outcome, delivery, status, retryInMs: 3_600_000 }]));
  const history = () => database.query(`SELECT status, attempt_count FROM deliveries`);
  const attempts = () => database.query(`SELECT number FROM attempts`);
  const endLeases = () => database.query(`UPDATE queue SET leased_until = now()`);

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 4 });
    await database.query(
      `INSERT INTO endpoints (id, account_id, source, url, events, sealed_secret) VALUES ($1, $2, 'account', 'http://x/', '{*}', 's')`,
      [endpointId, accountId],
    );
  });
  beforeEach(async () => {
    await database.query(`DELETE FROM deliveries`);
    await database.query(`DELETE FROM attempts`);
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it('is leased by one of many workers that claim at once', async () => {
    await plan(300);
    const claimed = (await Promise.all(Array.from({ length: 4 }, claim))).flat();
    expect(claimed).toHaveLength(300);
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(300);
  });

  it('ends with what became of it, also beside an outcome that the database refuses', async () => {
    await plan(4);
    const claimed = await claim();
    await database.query(`ALTER TABLE attempts ADD CONSTRAINT odd CHECK (error <> 'odd')`);
    const recorder = new OutcomeRecorder(database, { error: () => undefined } as unknown as Logger);
    for (const [index, delivery] of claimed.entries())
      recorder.add({ ...outcome, delivery, status: 'succeeded', retryInMs: 0, error: index === 1 ? 'odd' : null });
    await recorder.drain();
    await database.query(`ALTER TABLE attempts DROP CONSTRAINT odd`);
    await expect(attempts()).resolves.toHaveLength(3);
    await endLeases();
    await expect(claim()).resolves.toMatchObject([{ id: claimed[1]?.id }]);
  });

  it('is taken over when it ended, and then its first holder counts for nothing', async () => {
    await plan(1);
    const late = await claimOne();
    await expect(claim()).resolves.toEqual([]);
    await endLeases();
    const present = await claimOne();
    expect(present.id).toBe(late.id);
    await record(late);
    await releaseDeliveries(database, [late]);
    await expect(claim()).resolves.toEqual([]);
    await expect(attempts()).resolves.toEqual([]);
    await record(present);
    await record(present);
    await expect(history()).resolves.toEqual([{ status: 'succeeded', attempt_count: 1 }]);
    await expect(attempts()).resolves.toEqual([{ number: 1 }]);
  });

  it('does not come back to a late worker when the delivery is asked for again', async () => {
    await plan(1);
    const late = await claimOne();
    await endLeases();
    await record(await claimOne(), 'dead');
    await database.transaction((tx) => sendAgain(tx, accountId, [late.id]));
    const again = await claimOne();
    expect(again).toMatchObject({ id: late.id, tries: 0 });
    await record(late);
    await expect(history()).resolves.toEqual([{ status: 'pending', attempt_count: 1 }]);
    await record(again);
    await expect(history()).resolves.toEqual([{ status: 'succeeded', attempt_count: 2 }]);
  });

  it('ends with a failure, which is tried again when it is due and not before', async () => {
    await plan(1);
    await record(await claimOne(), 'pending');
    await expect(history()).resolves.toEqual([{ status: 'pending', attempt_count: 1 }]);
    await expect(claim()).resolves.toEqual([]);
    await database.query(`UPDATE queue SET due_at = now()`);
    expect(await claimOne()).toMatchObject({ tries: 1 });
  });

  it('counts a failure once that is recorded again since the answer of its commit was lost', async () => {
    await plan(1);
    const failed = await claimOne();
    await record(failed, 'pending');
    await record(failed, 'pending');
    await expect(history()).resolves.toEqual([{ status: 'pending', attempt_count: 1 }]);
    await expect(attempts()).resolves.toEqual([{ number: 1 }]);
    await expect(database.query(`SELECT tries FROM queue`)).resolves.toEqual([{ tries: 1 }]);
  });

  it('leaves no row of the queue behind when it succeeded or the delivery was removed', async () => {
    await plan(2);
    await record(await claimOne());
    await database.query(`DELETE FROM deliveries`);
    await expect(database.query(`SELECT 1 FROM queue`)).resolves.toEqual([]);
  });
});

const outcome: Omit<Outcome, 'delivery' | 'status' | 'retryInMs'> = {
  isGone: false,
  startedAt: new Date(),
  durationMs: 1,
  responseStatus: null,
  responseBody: '',
  error: null,
};
