import { RoostError } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';

/** The tables of what an agent has here, and what one of them is called. */
const NAMES = { schedules: 'schedule', triggers: 'trigger' };

export interface Owner {
  agentId: string;
  accountId: string;
}

/** Errors: NOT_FOUND, the same for an unknown id, another agent's and another account's. */
export async function findOwned<R extends object>(
  queries: Queries,
  table: keyof typeof NAMES,
  id: string,
  { agentId, accountId }: Owner,
  lock: 'FOR UPDATE' | '' = '',
): Promise<R> {
  const [row] = await queries.query<R>(
    `SELECT * FROM ${table} WHERE id = $1 AND agent_id = $2 AND account_id = $3 ${lock}`,
    [id, agentId, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', `there is no such ${NAMES[table]}`);
  return row;
}

/** One page of what an agent has, in the order of creation, and how many there are in all. */
export async function pageOfOwned<R extends object>(
  database: Database,
  table: keyof typeof NAMES,
  { agentId, accountId }: Owner,
  { page, limit }: { page: number; limit: number },
): Promise<{ rows: R[]; total: number }> {
  const [rows, [count]] = await Promise.all([
    database.query<R>(`SELECT * FROM ${table} WHERE agent_id = $1 AND account_id = $2 ORDER BY id LIMIT $3 OFFSET $4`, [
      agentId,
      accountId,
      limit,
      (page - 1) * limit,
    ]),
    database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE agent_id = $1 AND account_id = $2`, [
      agentId,
      accountId,
    ]),
  ]);
  return { rows, total: count?.n ?? 0 };
}

/** All that an agent has of a kind, in the order of creation, locked. */
export function lockOwned<R extends object>(
  tx: Transaction,
  table: keyof typeof NAMES,
  { agentId, accountId }: Owner,
): Promise<R[]> {
  return tx.query<R>(`SELECT * FROM ${table} WHERE agent_id = $1 AND account_id = $2 ORDER BY id FOR UPDATE`, [
    agentId,
    accountId,
  ]);
}
