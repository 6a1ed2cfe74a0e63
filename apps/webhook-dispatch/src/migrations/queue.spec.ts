import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimDeliveries } from '../deliveries/claims.repository.js';
import { claimOf } from '../../test/claim-of.js';
import { migrations } from './index.js';
import { Webhooks1795560000000 } from './webhooks-1795560000000.js';

/** What the version before the queue runs, on its own columns. */
const previous = {
  claim: `UPDATE deliveries SET due_at = now() + interval '120 seconds', fencing_token = fencing_token + 1
    WHERE id IN (SELECT id FROM deliveries WHERE status = 'pending' AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, fencing_token`,
  record: `UPDATE deliveries SET status = $3, tries = tries + 1, attempt_count = attempt_count + 1,
      due_at = now() + interval '1 hour', finished_at = CASE WHEN $3 <> 'pending' THEN now() END
    WHERE id = $1 AND fencing_token = $2 AND status = 'pending' RETURNING id`,
  release: `UPDATE deliveries SET due_at = now() WHERE id = $1 AND fencing_token = $2 AND status = 'pending' RETURNING id`,
  again: `UPDATE deliveries SET status = 'pending', due_at = now(), tries = 0, finished_at = NULL, fencing_token = fencing_token + 1
    WHERE id = $1 RETURNING id`,
};

interface Leased {
  id: string;
  fencing_token: string;
}

describe('the queue of deliveries, with the version before it still running', () => {
  let server: FreshDatabase;
  let old: Database;
  let database: Database;
  const [accountId, endpointId] = [randomUUID(), randomUUID()];

  const plan = (count: number) =>
    old.query(
      `WITH event AS (INSERT INTO events (id, account_id, type, body) SELECT gen_random_uuid(), $1, 'e', '{}' FROM generate_series(1, $3) RETURNING id)
       INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) SELECT $1, $2, id, 'e' FROM event`,
      [accountId, endpointId, count],
    );
  const claim = (most = 100) => claimDeliveries(database, claimOf(most));
  const queued = (id: string) => database.query(`SELECT due_at, tries FROM queue WHERE delivery_id = $1`, [id]);
  const leased: Leased[] = [];
  const next = () => leased.pop() as Leased;

  beforeAll(async () => {
    server = await freshDatabase();
    old = await Database.open({
      url: server.url,
      schema: 'webhooks',
      migrations: [Webhooks1795560000000],
      poolSize: 1,
    });
    await old.query(
      `INSERT INTO endpoints (id, account_id, source, url, events, sealed_secret) VALUES ($1, $2, 'account', 'http://x/', '{*}', 's')`,
      [endpointId, accountId],
    );
    await plan(8);
    leased.push(...(await old.query<Leased>(previous.claim, [5])));
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 2 });
  });
  afterAll(async () => {
    await old.close();
    await database.close();
    await server.drop();
  });

  it('takes over what waits, leaves what is leased, and lets the previous version claim nothing more', async () => {
    await expect(old.query(previous.claim, [100])).resolves.toEqual([]);
    const claimed = await claim();
    expect(claimed).toHaveLength(3);
    expect(claimed.map(({ id }) => id)).not.toEqual(expect.arrayContaining([leased[0]?.id]));
    await expect(claim()).resolves.toEqual([]);
  });

  it('takes what the previous version plans', async () => {
    await plan(2);
    await expect(old.query(previous.claim, [100])).resolves.toEqual([]);
    await expect(claim()).resolves.toHaveLength(2);
  });

  it('lets a lease of the previous version end: delivered, postponed or given back', async () => {
    const [delivered, postponed, released] = [next(), next(), next()];
    await expect(
      old.query(previous.record, [delivered.id, delivered.fencing_token, 'succeeded']),
    ).resolves.toHaveLength(1);
    await expect(queued(delivered.id)).resolves.toEqual([]);
    await expect(old.query(previous.record, [postponed.id, postponed.fencing_token, 'pending'])).resolves.toHaveLength(
      1,
    );
    const [waiting] = await queued(postponed.id);
    expect(waiting).toMatchObject({ tries: 1 });
    expect((waiting?.due_at as Date).getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    await expect(old.query(previous.release, [released.id, released.fencing_token])).resolves.toHaveLength(1);
    await expect(claim()).resolves.toMatchObject([{ id: released.id }]);
  });

  it('does not count what the previous version records after its lease was taken over', async () => {
    const late = next();
    await database.query(`UPDATE queue SET due_at = now() WHERE delivery_id = $1`, [late.id]);
    await expect(claim()).resolves.toMatchObject([{ id: late.id }]);
    await expect(old.query(previous.record, [late.id, late.fencing_token, 'succeeded'])).resolves.toEqual([]);
    await expect(old.query(previous.release, [late.id, late.fencing_token])).resolves.toEqual([]);
    await expect(claim()).resolves.toEqual([]);
    await expect(queued(late.id)).resolves.toHaveLength(1);
  });

  it('queues what the previous version is asked to retry, and forgets what it deletes', async () => {
    const { id } = next();
    await expect(old.query(previous.again, [id])).resolves.toHaveLength(1);
    await expect(claim()).resolves.toMatchObject([{ id, tries: 0 }]);
    await old.query(`DELETE FROM deliveries WHERE id = $1`, [id]);
    await expect(queued(id)).resolves.toEqual([]);
  });

  it('keeps the index by which the previous version looks for work, and makes none in a new database', async () => {
    const isThere = (rows: Database) => rows.query(`SELECT 1 FROM pg_indexes WHERE indexname = 'deliveries_queue'`);
    await expect(isThere(database)).resolves.toHaveLength(1);
    const fresh = await freshDatabase();
    const rows = await Database.open({ url: fresh.url, schema: 'webhooks', migrations, poolSize: 1 });
    await expect(isThere(rows)).resolves.toEqual([]);
    await rows.close();
    await fresh.drop();
  });
});
