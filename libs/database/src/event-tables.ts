import type { QueryRunner } from 'typeorm';

/** `outbox.published_at` of an event that is only recorded: the relay leaves it alone. */
export const NEVER_PUBLISHED = '-infinity';

/**
 * Of a schema's newest published event, `created_at` and `published_at`: no row before the first. How far events are looked
 * back for is counted from there, and not from now: a machine may have been off for days. What has a time that is still to
 * come was written while the server's clock was wrong.
 */
export const NEWEST_PUBLISHED = `SELECT created_at, published_at FROM outbox
  WHERE published_at > '${NEVER_PUBLISHED}' AND created_at <= now() ORDER BY created_at DESC LIMIT 1`;

/**
 * Makes the outbox and inbox of a schema; called by each service's first migration.
 * `outbox.published_at` is null until the relay's publish was acknowledged; `inbox` remembers which events a consumer
 * has carried out; `relay_state.stream_created` is when the EVENTS stream that was last filled was created, and which
 * start of its server that was.
 */
export async function createEventTables(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      event_id uuid NOT NULL DEFAULT gen_random_uuid(),
      subject text NOT NULL,
      key text NOT NULL,
      payload jsonb NOT NULL,
      headers jsonb NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now(),
      published_at timestamptz
    )`);
  await runner.query(`CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL`);
  await runner.query(`CREATE INDEX outbox_created ON outbox (created_at)`);
  await runner.query(`
    CREATE TABLE inbox (
      consumer text NOT NULL,
      event_id uuid NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (consumer, event_id)
    )`);
  await runner.query(`CREATE INDEX inbox_received ON inbox (received_at)`);
  await runner.query(`CREATE TABLE relay_state (stream text PRIMARY KEY, stream_created text NOT NULL)`);
}
