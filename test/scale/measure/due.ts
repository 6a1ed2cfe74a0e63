import type pg from 'pg';

/** Makes so many deliveries due that waited, of as many endpoints as there are; gives their events' ids. */
export async function makeDeliveriesDue(database: pg.Client, count: number): Promise<string[]> {
  const { rows } = await database.query<{ event_id: string }>(
    `UPDATE webhooks.queue SET due_at = now() WHERE delivery_id = ANY(ARRAY(
       SELECT delivery_id FROM webhooks.queue WHERE NOT is_due AND due_at < 'infinity' ORDER BY due_at LIMIT $1))
     RETURNING event_id`,
    [count],
  );
  return rows.map(({ event_id }) => event_id);
}

/** Makes so many schedules of active agents due at this moment; gives them with the slot. */
export async function makeSchedulesDue(database: pg.Client, count: number): Promise<{ id: string; slot: Date }[]> {
  const { rows } = await database.query<{ id: string; slot: Date }>(
    `UPDATE scheduler.schedules SET next_run_at = date_trunc('milliseconds', clock_timestamp()) WHERE id = ANY(ARRAY(
       SELECT id FROM scheduler.schedules WHERE next_run_at > now() + interval '1 minute' ORDER BY next_run_at DESC LIMIT $1))
     RETURNING id, next_run_at AS slot`,
    [count],
  );
  return rows;
}

/**
 * Puts what has become due while nothing ran to the same minute of a later week: a run begins as if Roost had never been
 * away.
 */
export async function putOff(database: pg.Client): Promise<void> {
  await database.query(`
    UPDATE scheduler.schedules SET next_run_at = next_run_at + ceil(extract(epoch FROM now() - next_run_at) / 604800) * interval '7 days'
    WHERE next_run_at <= now()`);
  await database.query(
    `UPDATE webhooks.queue SET due_at = now() + interval '10 days' WHERE NOT is_due AND due_at < now() + interval '4 hours'`,
  );
  await database.query(
    `UPDATE channels.deliveries SET created_at = now() - interval '10 hours' WHERE state = 'pending' AND created_at < now() - interval '20 hours'`,
  );
}
