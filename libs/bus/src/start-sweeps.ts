import { type Database, NEWEST_PUBLISHED } from '#lib/database';
import type { Logger } from '#lib/observability';
import { EVERY_MINUTE, inBatches, SWEEP_BATCH, type SweepDefinition, SweepRunner, sweepsOf } from '#lib/sweeps';
import type { INestApplicationContext } from '@nestjs/common';
import { clockSweep } from './clock.js';
import { providersOf } from './event-delivery.js';

/** Runs the `@Sweep` methods of a service's providers, and the retention of its outbox and inbox, until stopped. */
export function startSweeps(
  app: INestApplicationContext,
  { service, database, logger }: { service: string; database: Database | undefined; logger: Logger },
): SweepRunner {
  const runner = new SweepRunner(logger);
  if (database) {
    runner.add(eventTablesSweep(service, database));
    runner.add(clockSweep(service, database, logger));
  }
  for (const sweep of providersOf(app).flatMap(sweepsOf)) runner.add(sweep);
  return runner;
}

const OLD_OUTBOX = `
  DELETE FROM outbox WHERE id = ANY(ARRAY(
    SELECT id FROM (
      SELECT id, bool_and(published_at IS NOT NULL AND (created_at > now() + interval '1 hour'
        OR created_at < coalesce((SELECT created_at FROM (${NEWEST_PUBLISHED}) AS newest), now()) - interval '24 hours')) OVER (ORDER BY id) AS are_old
      FROM outbox ORDER BY id LIMIT ${SWEEP_BATCH}) AS first WHERE are_old))
  RETURNING 1`;

const OLD_INBOX = `
  DELETE FROM inbox WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM inbox WHERE received_at < (SELECT max(received_at) FROM inbox WHERE received_at <= now()) - interval '7 days'
      LIMIT ${SWEEP_BATCH}))
  RETURNING 1`;

/**
 * Keeps outbox and inbox bounded: events go after 24 h (as long as a lost stream can be refilled from them), inbox rows
 * after 7 days (longer than any event is redelivered), both counted from the newest: a platform that was off for longer
 * still publishes again what was lost with the power, and carries out nothing twice. Events go in the order of their ids,
 * recorded ones too, and none behind one that is not published yet; one that was written while the server's clock was ahead
 * holds up none: of an event that is gone all before are gone, so that a
 * reader who was there reads on from the oldest. In bounded batches, so that no sweep holds locks for long.
 */
export const eventTablesSweep = (service: string, database: Database): SweepDefinition => ({
  ...EVERY_MINUTE,
  name: `${service}.event-tables`,
  async run(signal) {
    for (const statement of [OLD_OUTBOX, OLD_INBOX]) await inBatches(() => database.query(statement), signal);
  },
});
