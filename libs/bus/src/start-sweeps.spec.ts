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

/** Published and received at this time each, 12,000 and 24,000 over some days before it, and one that is not published. */
const fill = (newest: string) =>
  database.query(
    `WITH cleared AS (DELETE FROM outbox), forgotten AS (DELETE FROM inbox), received AS (
       INSERT INTO inbox (consumer, event_id, received_at)
       SELECT 'c', gen_random_uuid(), ${newest} - (i % 12) * interval '1 day' FROM generate_series(0, 23999) i)
     INSERT INTO outbox (subject, key, payload, created_at, published_at)
     SELECT 'events.a.b.c', key, '{}'::jsonb, ${newest} - n * interval '1 hour', published_at
     FROM (
       SELECT 'published' AS key, i % 40 AS n, ${newest} AS published_at FROM generate_series(0, 11999) i
       UNION ALL SELECT 'recorded', i * 20, '-infinity' FROM generate_series(1, 2) i
       UNION ALL SELECT 'unpublished', 72, NULL) AS event`,
  );

const left = async (table: string) =>
  Number((await database.query<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);

it('takes all old events in one run, however many came since the last, and leaves what is young or unpublished', async () => {
  await fill('now()');
  await eventTablesSweep('test', database).run(new AbortController().signal);
  expect(await left(`outbox WHERE key = 'published' AND created_at < now() - interval '24 hours 1 minute'`)).toBe(0);
  expect(await left(`outbox WHERE key = 'published'`)).toBe(12_000 * (25 / 40));
  expect(await left(`outbox WHERE key = 'recorded'`)).toBe(1);
  expect(await left(`outbox WHERE key = 'unpublished'`)).toBe(1);
  expect(await left(`inbox WHERE received_at < now() - interval '7 days 1 minute'`)).toBe(0);
  expect(await left('inbox')).toBe(24_000 * (8 / 12));
});

it('counts from the newest, however long all was off: what was lost with the power is still to be published again', async () => {
  await fill(`now() - interval '30 days'`);
  await eventTablesSweep('test', database).run(new AbortController().signal);
  expect(await left(`outbox WHERE key = 'published'`)).toBe(12_000 * (25 / 40));
  expect(await left(`outbox WHERE key = 'recorded'`)).toBe(0);
  expect(await left('inbox')).toBe(24_000 * (8 / 12));
});
