import type { Database } from '#lib/database';

/**
 * Removes what nobody will ask for: executions that ended 30 days ago, outcomes of messages that were not ours, and
 * tombstones of agents, once no event of theirs can come any more.
 */
export async function sweep(database: Database): Promise<void> {
  await database.query(`DELETE FROM executions WHERE finished_at < now() - interval '30 days'`);
  await database.query(`DELETE FROM early_outcomes WHERE at < now() - interval '1 day'`);
  await database.query(`DELETE FROM agents WHERE deleted_at < now() - interval '8 days'`);
  await database.query(
    `UPDATE triggers SET previous_secret = NULL, previous_until = NULL WHERE previous_until < now()`,
  );
}
