import type { Database } from '#lib/database';

const BATCH = 5_000;

/** Keeps tables bounded: deliveries for 30 days, event ids for 7, what linking leaves behind for a day. A bounded batch per call. */
export async function sweepOldRows(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM deliveries WHERE id IN (
       SELECT id FROM deliveries WHERE created_at < now() - interval '30 days' LIMIT ${BATCH})`,
  );
  await database.query(
    `DELETE FROM inbound_events WHERE id IN (
       SELECT id FROM inbound_events WHERE created_at < now() - interval '7 days' LIMIT ${BATCH})`,
  );
  await database.query(`DELETE FROM link_codes WHERE expires_at < now() - interval '1 day'`);
  await database.query(
    `DELETE FROM link_tries WHERE window_start < now() - interval '1 day' AND coalesce(silent_until, now()) <= now()`,
  );
}
