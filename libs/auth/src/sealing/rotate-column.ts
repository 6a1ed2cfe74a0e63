import type { Sealer } from './sealer.js';

/** A column of sealed values. All four are parts of our own SQL, never input. */
export interface SealedColumn {
  table: string;
  column: string;
  /** SQL that gives a row's id as text. */
  id: string;
  /** Values are sealed for `<place>:<id>`. */
  place: string;
}

export interface Queries {
  query<T extends object>(sql: string, parameters?: unknown[]): Promise<T[]>;
}

const BATCH = 500;

/**
 * Brings every value of a column under the current master key, in batches, so that a replaced key can be thrown away.
 * A value that is written meanwhile is left as its writer sealed it. Gives how many were wrapped anew.
 * Errors: as `Sealer.open`, naming the master key that is missing.
 */
export async function rotateColumn(
  database: Queries,
  sealer: Sealer,
  { table, column, id, place }: SealedColumn,
  isStopped: () => boolean = () => false,
): Promise<number> {
  for (let rotated = 0; ;) {
    const rows = await database.query<{ id: string; row: string; sealed: string }>(
      `SELECT ${id} AS id, ctid::text AS row, ${column} AS sealed FROM ${table}
       WHERE ${column} IS NOT NULL AND NOT starts_with(${column}, $1) LIMIT ${BATCH}`,
      [sealer.currentPrefix],
    );
    if (rows.length === 0 || isStopped()) return rotated;
    for (const row of rows) {
      await database.query(`UPDATE ${table} SET ${column} = $2 WHERE ctid = $1::tid AND ${column} = $3`, [
        row.row,
        sealer.rotate(row.sealed, `${place}:${row.id}`),
        row.sealed,
      ]);
      rotated += 1;
    }
  }
}
