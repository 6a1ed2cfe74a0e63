import type { QuotaName } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';

/** The limits that an operator gave one account. */
export async function ownLimits(database: Database, accountId: string): Promise<Partial<Record<QuotaName, number>>> {
  const own = await database.query<{ quota: QuotaName; max: string }>(
    `SELECT quota, max_amount AS max FROM account_quotas WHERE account_id = $1`,
    [accountId],
  );
  return Object.fromEntries(own.map(({ quota, max }) => [quota, Number(max)]));
}

/** Null: as for all. */
export async function setOwnLimit(
  tx: Transaction,
  accountId: string,
  { quota, limit }: { quota: QuotaName; limit: number | null },
): Promise<void> {
  if (limit === null)
    await tx.query(`DELETE FROM account_quotas WHERE account_id = $1 AND quota = $2`, [accountId, quota]);
  else
    await tx.query(
      `INSERT INTO account_quotas (account_id, quota, max_amount) VALUES ($1, $2, $3)
       ON CONFLICT (account_id, quota) DO UPDATE SET max_amount = excluded.max_amount, updated_at = now()`,
      [accountId, quota, limit],
    );
}
