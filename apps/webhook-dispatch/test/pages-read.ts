import type { Database } from '#lib/database';

/** Pages of these tables and their indexes that statements of this connection have looked at. */
export async function pagesRead(database: Database, tables: string[]): Promise<number> {
  await database.query('SELECT pg_stat_force_next_flush()');
  const [row] = await database.query<{ pages: string }>(
    `SELECT sum(idx_blks_read + idx_blks_hit + heap_blks_read + heap_blks_hit) AS pages
     FROM pg_statio_user_tables WHERE relname = ANY ($1)`,
    [tables],
  );
  return Number(row?.pages);
}
