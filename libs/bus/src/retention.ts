import type { Database } from '#lib/database';

const SWEEP_MS = 60_000;
const BATCH = 5_000;

/**
 * Keeps outbox and inbox bounded: published events go after 24 h (as long as a lost stream can be refilled from
 * them), inbox rows after 7 days (longer than any event is redelivered). In bounded batches, so that no sweep
 * holds locks for long. Gives the function that stops it.
 */
export function sweepEventTables(database: Database, onError: (error: unknown) => void): () => void {
  const sweep = async () => {
    await database.query(
      `DELETE FROM outbox WHERE id IN (
         SELECT id FROM outbox WHERE created_at < now() - interval '24 hours' AND published_at IS NOT NULL LIMIT ${BATCH})`,
    );
    await database.query(
      `DELETE FROM inbox WHERE (consumer, event_id) IN (
         SELECT consumer, event_id FROM inbox WHERE received_at < now() - interval '7 days' LIMIT ${BATCH})`,
    );
  };
  const timer = setInterval(() => void sweep().catch(onError), SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}
