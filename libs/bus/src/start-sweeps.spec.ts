import { createEventTables, Database } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventTablesSweep } from './start-sweeps.js';

class EventTables1700000000000 {
  name = 'EventTables1700000000000';
  up = createEventTables;
  down = () => Promise.resolve();
}

let server: FreshDatabase;
let database: Database;

beforeAll(async () => {
  server = await freshDatabase();
  database = await Database.open({
    url: server.url,
    schema: 'swept',
    migrations: [EventTables1700000000000],
    poolSize: 1,
  });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

/** Received, and published or recorded, at this time each; 24,000 over days and 12,000 over hours before it, in this order. */
const fill = (newest: string) =>
  database.query(
    `WITH cleared AS (DELETE FROM outbox), forgotten AS (DELETE FROM inbox), received AS (
       INSERT INTO inbox (consumer, event_id, received_at)
       SELECT 'c', gen_random_uuid(), ${newest} - (i % 12) * interval '1 day' FROM generate_series(0, 23999) i)
     INSERT INTO outbox (subject, key, payload, created_at, published_at)
     SELECT 'events.a.b.c', 'k', '{}'::jsonb, ${newest} - n * interval '1 hour',
       CASE WHEN i % 2 = 0 THEN ${newest} ELSE '-infinity' END
     FROM (SELECT i, 39 - i / 300 AS n FROM generate_series(0, 11999) i) AS event ORDER BY i`,
  );

const left = async (table: string) =>
  Number((await database.query<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);

const sweep = () => eventTablesSweep('test', database).run(new AbortController().signal);

it('takes all that is old in one run, however much came since the last, and leaves what is young', async () => {
  await fill('now()');
  await sweep();
  expect(await left(`outbox WHERE created_at < now() - interval '24 hours 1 minute'`)).toBe(0);
  expect(await left('outbox')).toBe(12_000 * (25 / 40));
  expect(await left(`inbox WHERE received_at < now() - interval '7 days 1 minute'`)).toBe(0);
  expect(await left('inbox')).toBe(24_000 * (8 / 12));
});

it('counts from the newest, however long all was off: what was lost with the power is still to be published again', async () => {
  await fill(`now() - interval '30 days'`);
  await sweep();
  expect(await left('outbox')).toBe(12_000 * (25 / 40));
  expect(await left('inbox')).toBe(24_000 * (8 / 12));
});

it('takes events in the order of their ids, and none behind one that is not published yet', async () => {
  await fill('now()');
  const [held] = await database.query<{ id: string }>(`SELECT id FROM outbox ORDER BY id LIMIT 1 OFFSET 100`);
  await database.query(`UPDATE outbox SET published_at = NULL WHERE id = $1`, [held?.id]);
  await sweep();
  expect(await left('outbox')).toBe(12_000 - 100);
  await database.query(`UPDATE outbox SET published_at = now() WHERE id = $1`, [held?.id]);
  // It began before the one that it waited for.
  await database.query(
    `UPDATE outbox SET created_at = now() - interval '3 days' WHERE id = (SELECT max(id) FROM outbox)`,
  );
  await sweep();
  expect(await left('outbox')).toBe(12_000 * (25 / 40));
});

it('counts from now where nothing was published', async () => {
  await fill('now()');
  await database.query(`UPDATE outbox SET published_at = '-infinity'`);
  await sweep();
  expect(await left('outbox')).toBe(12_000 * (24 / 40));
});

it('goes by no time that is still to come', async () => {
  await fill('now()');
  const some = `SELECT id FROM outbox ORDER BY id LIMIT 1 OFFSET 100`;
  await database.query(
    `UPDATE outbox SET created_at = now() + interval '1 year', published_at = now() WHERE id = (${some})`,
  );
  await database.query(`INSERT INTO inbox VALUES ('c', gen_random_uuid(), now() + interval '1 year')`);
  await sweep();
  expect(await left('outbox')).toBe(12_000 * (25 / 40));
  expect(await left('inbox')).toBe(24_000 * (8 / 12) + 1);
});
