import type { Provider } from '#lib/contracts';
import type { Queries, Transaction } from '#lib/database';

/** A key as it may be shown: without it. */
export interface ProviderKeyRow {
  provider: Provider;
  createdAt: Date;
  updatedAt: Date;
}

/** The account's keys as they are stored, by provider. */
export type SealedKeys = Partial<Record<Provider, string>>;

const SHOWN = `provider, created_at AS "createdAt", updated_at AS "updatedAt"`;

/** SQL for the `SealedKeys` of the account in `accountId`, to be read in one statement with what they are needed for. */
export const sealedKeysOf = (accountId: string) =>
  `(SELECT coalesce(jsonb_object_agg(provider, sealed_key), '{}') FROM account_provider_keys WHERE account_id = ${accountId})`;

/** All SQL of `account_provider_keys`. */

export async function setProviderKey(
  tx: Transaction,
  accountId: string,
  provider: Provider,
  sealedKey: string,
): Promise<ProviderKeyRow> {
  const [row] = await tx.query<ProviderKeyRow>(
    `INSERT INTO account_provider_keys (account_id, provider, sealed_key) VALUES ($1, $2, $3)
     ON CONFLICT (account_id, provider) DO UPDATE SET sealed_key = excluded.sealed_key, updated_at = now()
     RETURNING ${SHOWN}`,
    [accountId, provider, sealedKey],
  );
  if (!row) throw new Error('the key was not stored');
  return row;
}

export function listProviderKeys(queries: Queries, accountId: string): Promise<ProviderKeyRow[]> {
  return queries.query(`SELECT ${SHOWN} FROM account_provider_keys WHERE account_id = $1 ORDER BY provider`, [
    accountId,
  ]);
}

export async function findSealedKeys(queries: Queries, accountId: string): Promise<SealedKeys> {
  const [row] = await queries.query<{ keys: SealedKeys }>(`SELECT ${sealedKeysOf('$1')} AS keys`, [accountId]);
  return row?.keys ?? {};
}

/** False when there was none. */
export async function deleteProviderKeyRow(queries: Queries, accountId: string, provider: Provider): Promise<boolean> {
  const deleted = await queries.query(
    `DELETE FROM account_provider_keys WHERE account_id = $1 AND provider = $2 RETURNING provider`,
    [accountId, provider],
  );
  return deleted.length > 0;
}

export async function deleteAllProviderKeys(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM account_provider_keys WHERE account_id = $1`, [accountId]);
}

export async function countProviderKeys(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM account_provider_keys WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

export async function countOtherProviderKeys(tx: Transaction, accountId: string, provider: Provider): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM account_provider_keys WHERE account_id = $1 AND provider <> $2`,
    [accountId, provider],
  );
  return row?.count ?? 0;
}

/** The column that holds the keys, for a change of the master key. */
export const sealedProviderKeys = {
  table: 'account_provider_keys',
  column: 'sealed_key',
  id: `account_id || ':' || provider`,
  context: 'account_provider_keys',
};
