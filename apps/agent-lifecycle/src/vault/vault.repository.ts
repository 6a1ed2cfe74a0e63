import { RoostError } from '#lib/contracts';
import { newId, type Queries, type Transaction } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import type { SecretRow } from './vault-row.js';

/** All SQL of `vault_secrets`. */

const SHOWN = `s.*, (SELECT count(*)::int FROM vault_grants g WHERE g.secret_id = s.id) AS grant_count`;

export type SecretColumns = Pick<
  SecretRow,
  'description' | 'kind' | 'settings' | 'hosts' | 'methods' | 'path_prefixes' | 'placements'
>;

/** Errors: ALREADY_EXISTS (the name). */
export async function insertSecret(
  tx: Transaction,
  accountId: string,
  name: string,
  columns: SecretColumns,
  seal: (id: string) => string,
): Promise<SecretRow> {
  const id = newId();
  const [row] = await tx.query<SecretRow>(
    `INSERT INTO vault_secrets (id, account_id, name, sealed_value, description, kind, settings, hosts, methods,
       path_prefixes, placements)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (account_id, name) DO NOTHING RETURNING *, 0 AS grant_count`,
    [id, accountId, name, seal(id), ...valuesOf(columns)],
  );
  if (row) return row;
  throw new RoostError('ALREADY_EXISTS', `the vault has a secret called "${name}" already`, [
    { field: 'name', reason: 'already_exists' },
  ]);
}

/** A new value forgets the token that was fetched by the old one, and whoever is fetching one. */
export async function writeSecret(
  tx: Transaction,
  { id, account_id }: SecretRow,
  columns: SecretColumns,
  sealedValue: string | undefined,
): Promise<SecretRow> {
  const [row] = await tx.query<SecretRow>(
    `WITH s AS (
       UPDATE vault_secrets SET description = $4, kind = $5, settings = $6, hosts = $7, methods = $8,
         path_prefixes = $9, placements = $10, sealed_value = coalesce($3, sealed_value), updated_at = now(),
         rotated_at = CASE WHEN $3::text IS NULL THEN rotated_at ELSE now() END
       WHERE id = $1 AND account_id = $2 RETURNING *)
     SELECT ${SHOWN} FROM s`,
    [id, account_id, sealedValue ?? null, ...valuesOf(columns)],
  );
  if (sealedValue !== undefined) await tx.query(`DELETE FROM vault_tokens WHERE secret_id = $1`, [id]);
  if (!row) throw new Error('a locked secret is there');
  return row;
}

const valuesOf = (columns: SecretColumns) => [
  columns.description,
  columns.kind,
  JSON.stringify(columns.settings),
  columns.hosts,
  columns.methods,
  columns.path_prefixes,
  columns.placements,
];

/** Errors: NOT_FOUND, the same for another account's secret. */
export async function findSecret(queries: Queries, accountId: string, id: string, lock = ''): Promise<SecretRow> {
  const [row] = await queries.query<SecretRow>(
    `SELECT ${SHOWN} FROM vault_secrets s WHERE id = $1 AND account_id = $2 ${lock}`,
    [id, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such secret');
  return row;
}

export function secretsNamed(queries: Queries, accountId: string, names: string[]): Promise<SecretRow[]> {
  return queries.query<SecretRow>(`SELECT ${SHOWN} FROM vault_secrets s WHERE s.account_id = $1 AND s.name = ANY($2)`, [
    accountId,
    names,
  ]);
}

export async function pageOfSecrets(
  queries: Queries,
  accountId: string,
  { page, limit }: { page: number; limit: number },
): Promise<{ rows: SecretRow[]; total: number }> {
  const rows = await queries.query<SecretRow>(
    `SELECT ${SHOWN} FROM vault_secrets s WHERE account_id = $1 ORDER BY name LIMIT $2 OFFSET $3`,
    [accountId, limit, (page - 1) * limit],
  );
  return { rows, total: await countSecrets(queries, accountId) };
}

export async function deleteSecretRow(tx: Transaction, accountId: string, id: string): Promise<void> {
  await tx.query(`DELETE FROM vault_secrets WHERE id = $1 AND account_id = $2`, [id, accountId]);
}

export async function countSecrets(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM vault_secrets WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

/** With their grants and tokens. */
export async function deleteVaultOf(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM vault_secrets WHERE account_id = $1`, [accountId]);
}

/** Notes in the rows of all agents that may use a secret that it changed, and locks them until the transaction ends. */
export function touchAgentsOf(tx: Transaction, secretId: string): Promise<AgentRow[]> {
  return tx.query(
    `UPDATE agents SET revision = revision + 1 WHERE id = ANY(ARRAY(
       SELECT id FROM agents WHERE id IN (SELECT agent_id FROM vault_grants WHERE secret_id = $1)
       ORDER BY id FOR UPDATE)) RETURNING *`,
    [secretId],
  );
}

/** Columns that hold sealed values, for a change of the master key. */
export const sealedVaultColumns = [
  { table: 'vault_secrets', column: 'sealed_value', id: 'id::text', context: 'vault_secrets' },
  { table: 'vault_tokens', column: 'sealed_token', id: 'secret_id::text', context: 'vault_tokens' },
];
