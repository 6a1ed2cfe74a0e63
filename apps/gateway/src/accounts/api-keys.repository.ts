import { type Database, newId, type Queries, type Transaction } from '#lib/database';

export interface KeyRow {
  id: string;
  name: string;
  prefix: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** A key in the clear is never stored: its first characters, by which its owner knows it, and its hash. */
export interface NewKey {
  accountId: string;
  name: string;
  prefix: string;
  hash: string;
}

const COLUMNS = `id, name, prefix, created_at AS "createdAt", last_used_at AS "lastUsedAt"`;

export async function findKeyOwner(database: Database, hash: string) {
  const [owner] = await database.query<{
    id: string;
    keyId: string;
    agentsEnabled: boolean;
    isOperator: boolean;
  }>(
    `SELECT a.id, k.id AS "keyId", a.agents_enabled AS "agentsEnabled", a.is_operator AS "isOperator"
       FROM api_keys k JOIN accounts a ON a.id = k.account_id
      WHERE k.hash = $1 AND k.revoked_at IS NULL`,
    [hash],
  );
  return owner;
}

export async function addKey(tx: Transaction, { accountId, name, prefix, hash }: NewKey): Promise<KeyRow> {
  const [row] = await tx.query<KeyRow>(
    `INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
    [newId(), accountId, name, prefix, hash],
  );
  if (!row) throw new Error('the new key was not stored');
  return row;
}

/** Those that were not revoked, oldest first. */
export function listKeys(database: Database, accountId: string): Promise<KeyRow[]> {
  return database.query<KeyRow>(
    `SELECT ${COLUMNS} FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL ORDER BY created_at, id LIMIT 1000`,
    [accountId],
  );
}

/** False where the account has no such key. */
export async function revokeKey(tx: Transaction, accountId: string, keyId: string): Promise<boolean> {
  const revoked = await tx.query(
    `UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL RETURNING id`,
    [keyId, accountId],
  );
  return revoked.length > 0;
}

export async function isKeyKnown(tx: Transaction, hash: string): Promise<boolean> {
  const rows = await tx.query(`SELECT 1 FROM api_keys WHERE hash = $1`, [hash]);
  return rows.length > 0;
}

/** The id of the account of a fresh machine, which is made if it is not there. */
export async function localAccount(tx: Transaction): Promise<string> {
  const [account] = await tx.query<{ id: string }>(
    `INSERT INTO accounts (id, name, agents_enabled, is_operator) VALUES ($1, 'local', true, true)
     ON CONFLICT (name) DO UPDATE SET name = 'local' RETURNING id`,
    [newId()],
  );
  if (!account) throw new Error('the local account was not stored');
  return account.id;
}

export async function noteKeysUsed(database: Database, hashes: string[]): Promise<void> {
  await database.query(`UPDATE api_keys SET last_used_at = now() WHERE hash = ANY($1)`, [hashes]);
}

/** What counts for the quota: revoked keys are retained for their history alone. */
export async function countKeys(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL`,
    [accountId],
  );
  return row?.count ?? 0;
}
