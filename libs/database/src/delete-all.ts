import type { Transaction } from './transaction.js';

/** A cold disk gives so many within a fraction of what a statement may take. */
const PIECE = 20_000;

/**
 * Deletes all rows of a table for which `condition` holds, $1 and so on being `parameters`, by bounded statements: one
 * for a million may be given up before it ends. Rows that another transaction changes meanwhile may stay.
 */
export async function deleteAll(
  tx: Transaction,
  table: string,
  condition: string,
  parameters: unknown[],
): Promise<void> {
  for (let count = PIECE; count === PIECE;) {
    const [row] = await tx.query<{ count: number }>(
      `WITH gone AS (
         DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${PIECE})) RETURNING 1)
       SELECT count(*)::int AS count FROM gone`,
      parameters,
    );
    count = row?.count ?? 0;
  }
}
