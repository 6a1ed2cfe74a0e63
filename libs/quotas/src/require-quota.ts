import { type QuotaName, QUOTAS, RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';

export interface QuotaCheck {
  accountId: string;
  quota: QuotaName;
  limit: number;
  /** How much the account uses. Called under the lock; by an index on the account, since it costs what the account has. */
  count: () => Promise<number>;
  /** How much more it wants. */
  more?: number;
}

/**
 * Lets a transaction go on if the account stays within its quota. Exact: until the transaction ends, no other of this account and
 * quota gets past here, so of many at once that see the last place one passes. What is counted are the rows
 * themselves: a rollback, a kill or a deletion gives capacity back by itself. Errors: QUOTA_EXCEEDED.
 */
export async function requireQuota(
  tx: Pick<Transaction, 'query'>,
  { accountId, quota, limit, count, more = 1 }: QuotaCheck,
): Promise<void> {
  // A statement of its own: only one that begins under the lock sees what was committed before it.
  await lockQuota(tx, quota, accountId);
  const used = await count();
  if (used + more > limit) throw quotaExceeded(quota, limit, used);
}

/** Until the transaction ends the account gets no more of what the quota counts. */
export async function lockQuota(tx: Pick<Transaction, 'query'>, quota: QuotaName, accountId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('quota ' || $1 || ' ' || $2, 0))`, [quota, accountId]);
}

export function quotaExceeded(quota: QuotaName, limit: number, used: number): RoostError {
  const { what, remedy } = QUOTAS[quota];
  return new RoostError(
    'QUOTA_EXCEEDED',
    `the account may have at most ${limit} ${what} and has ${used}: ${remedy}, or ask the operator to raise the quota ${quota}`,
    [{ reason: 'quota_exceeded', quota, limit, used }],
  );
}
