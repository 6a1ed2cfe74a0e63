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

it('takes all old events in one run, however many came since the last, and leaves what is young or unpublished', async () => {
  await database.query(`
    INSERT INTO outbox (subject, key, payload, created_at, published_at)
    SELECT 'events.a.b.c', 'k', '{}'::jsonb, now() - n * interval '1 hour', CASE WHEN n < 50 THEN now() END
    FROM generate_series(1, 12000) i, LATERAL (SELECT 20 + i % 20 AS n) age
    UNION ALL SELECT 'events.a.b.c', 'unpublished', '{}'::jsonb, now() - interval '3 days', NULL`);
  await database.query(`
    INSERT INTO inbox (consumer, event_id, received_at)
    SELECT 'c', gen_random_uuid(), now() - (1 + i % 12) * interval '1 day' FROM generate_series(1, 24000) i`);
  await eventTablesSweep('test', database).run(new AbortController().signal);
  const [left] = await database.query(`
    SELECT (SELECT count(*)::int FROM outbox WHERE created_at < now() - interval '24 hours') AS old_outbox,
      (SELECT count(*)::int FROM outbox WHERE key = 'unpublished') AS unpublished,
      (SELECT count(*)::int FROM inbox WHERE received_at < now() - interval '7 days') AS old_inbox,
      (SELECT count(*) > 2000 FROM outbox) AND (SELECT count(*) > 10000 FROM inbox) AS has_young`);
  expect(left).toEqual({ old_outbox: 1, unpublished: 1, old_inbox: 0, has_young: true });
});
