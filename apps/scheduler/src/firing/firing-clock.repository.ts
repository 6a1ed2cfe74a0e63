import type { Database, Transaction } from '#lib/database';

/** No scheduler was seen for so long: the platform was down. Less is a restart, whose slots are late and not missed. */
const DOWN_AFTER = '10 seconds';

/** Records that a scheduler runs, and until when it has taken all that was due, if it has. Any replica may. */
export async function tickClock(database: Database, caughtUpAt: Date | null): Promise<void> {
  await database.query(
    `UPDATE firing_clock SET up_since = CASE WHEN seen_at < now() - interval '${DOWN_AFTER}' THEN now() ELSE up_since END,
       caught_up_at = GREATEST(caught_up_at, $1::timestamptz), seen_at = now()`,
    [caughtUpAt],
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
