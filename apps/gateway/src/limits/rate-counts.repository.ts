import type { Database } from '#lib/database';

/** Adds what a replica counted, in one statement for all accounts, and returns the sums over all replicas. */
export async function addCounts(
  database: Database,
  minute: number,
  counts: Map<string, number>,
): Promise<Map<string, number>> {
  // In one order everywhere, so that replicas do not wait for each other in a circle.
  const sums = await database.query<{ account_id: string; count: number }>(
    `INSERT INTO rate_counts AS kept (account_id, minute, count)
     SELECT account_id, $1, count FROM unnest($2::uuid[], $3::int[]) AS counted (account_id, count)
     -- Not one deleted since it was counted; one that is being deleted is waited for.
     WHERE EXISTS (SELECT FROM accounts WHERE accounts.id = account_id FOR KEY SHARE)
     ORDER BY account_id
     ON CONFLICT (account_id, minute) DO UPDATE SET count = kept.count + excluded.count
     RETURNING account_id, count`,
    [minute, [...counts.keys()], [...counts.values()]],
  );
  return new Map(sums.map(({ account_id, count }) => [account_id, count]));
}

/** Minutes that are over. */
export async function forgetCountsBefore(database: Database, minute: number): Promise<void> {
  await database.query(`DELETE FROM rate_counts WHERE minute < $1`, [minute]);
}
