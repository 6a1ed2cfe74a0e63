import type { Sealer } from '#lib/auth';
import { type Provider, RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { countRows, requireRoom } from '#lib/quotas';
import type { Queries } from '../agents/agent-row.js';

interface Shown {
  provider: Provider;
  createdAt: Date;
  updatedAt: Date;
}

const SHOWN = `provider, created_at AS "createdAt", updated_at AS "updatedAt"`;
const placeOf = (accountId: string, provider: string) => `account_provider_keys:${accountId}:${provider}`;
const masked = (row: Shown) => ({ ...row, apiKey: '***' as const });

/** Errors: QUOTA_EXCEEDED for one more; replacing one needs no room. */
export async function setKey(
  tx: Transaction,
  sealer: Sealer,
  { accountId, provider, apiKey, limit }: { accountId: string; provider: Provider; apiKey: string; limit: number },
) {
  const others = () => countRows(tx, 'account_provider_keys', accountId, `provider <> '${provider}'`);
  await requireRoom(tx, { accountId, quota: 'provider_keys', limit, count: others });
  const [row] = await tx.query<Shown>(
    `INSERT INTO account_provider_keys (account_id, provider, sealed_key) VALUES ($1, $2, $3)
     ON CONFLICT (account_id, provider) DO UPDATE SET sealed_key = excluded.sealed_key, updated_at = now()
     RETURNING ${SHOWN}`,
    [accountId, provider, sealer.seal(apiKey, placeOf(accountId, provider))],
  );
  if (!row) throw new Error('the key was not stored');
  return masked(row);
}

export async function listKeys(queries: Queries, accountId: string) {
  const rows = await queries.query<Shown>(
    `SELECT ${SHOWN} FROM account_provider_keys WHERE account_id = $1 ORDER BY provider`,
    [accountId],
  );
  return rows.map(masked);
}

/** Errors: NOT_FOUND. */
export async function deleteKey(queries: Queries, accountId: string, provider: Provider): Promise<void> {
  const deleted = await queries.query(
    `DELETE FROM account_provider_keys WHERE account_id = $1 AND provider = $2 RETURNING provider`,
    [accountId, provider],
  );
  if (deleted.length === 0) throw new RoostError('NOT_FOUND', 'the account has no key of this provider');
}

/** The account's keys as they are stored, by provider. */
export type SealedKeys = Partial<Record<Provider, string>>;

/** SQL for the `SealedKeys` of the account in `accountId`, to be read in one statement with what they are needed for. */
export const sealedKeysOf = (accountId: string) =>
  `(SELECT coalesce(jsonb_object_agg(provider, sealed_key), '{}') FROM account_provider_keys WHERE account_id = ${accountId})`;

export async function findKeys(queries: Queries, accountId: string): Promise<SealedKeys> {
  const [row] = await queries.query<{ keys: SealedKeys }>(`SELECT ${sealedKeysOf('$1')} AS keys`, [accountId]);
  return row?.keys ?? {};
}

/** The account's keys in the clear, for a turn. */
export function openKeys(sealer: Sealer, accountId: string, sealed: SealedKeys): Partial<Record<Provider, string>> {
  return Object.fromEntries(
    Object.entries(sealed).map(([provider, key]) => [provider, sealer.open(key, placeOf(accountId, provider))]),
  );
}

/** The column that holds the keys, for a change of the master key. */
export const sealedProviderKeys = {
  table: 'account_provider_keys',
  column: 'sealed_key',
  id: `account_id || ':' || provider`,
  place: 'account_provider_keys',
};
