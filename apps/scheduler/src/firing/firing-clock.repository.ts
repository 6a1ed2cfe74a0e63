import type { Database, Transaction } from '#lib/database';

/** No scheduler was seen for so long: the platform was down. Less is a restart, whose slots are late and not missed. */
const DOWN_AFTER = '10 seconds';

/**
 * Records that a scheduler runs, and that all that was due by `firedUpTo` was taken, if it was: what another replica holds
 * is due until that one has committed. Any replica may.
 */
export async function tickClock(database: Database, firedUpTo: Date | null): Promise<void> {
  await database.query(
    `UPDATE firing_clock SET up_since = CASE WHEN seen_at < now() - interval '${DOWN_AFTER}' THEN now() ELSE up_since END,
       caught_up_at = CASE WHEN EXISTS (SELECT FROM schedules WHERE next_run_at <= $1) THEN caught_up_at
                           ELSE GREATEST(caught_up_at, $1::timestamptz) END,
       seen_at = now()`,
    [firedUpTo],
  );
}

/**
 * The database's clock, which all replicas share, and since when a slot that is due is late only because there is much to
 * fire: before that nothing ran, or everything due had been taken.
 */
export async function readClock(tx: Transaction): Promise<{ now: Date; onTimeSince: Date }> {
  const [clock] = await tx.query<{ now: Date; since: Date | number }>(
    `SELECT now() AS now, GREATEST(up_since, caught_up_at) AS since FROM firing_clock`,
  );
  const now = clock?.now ?? new Date();
  return { now, onTimeSince: clock?.since instanceof Date ? clock.since : now };
}
