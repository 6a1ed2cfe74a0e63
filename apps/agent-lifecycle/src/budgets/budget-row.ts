import type { Budget } from '#lib/contracts';
import { isZone, periodAt } from '#lib/time-zones';

/** A row of `budgets` as Postgres returns it: bigint and numeric as text. */
export interface BudgetRow {
  id: string;
  account_id: string;
  agent_id: string | null;
  unit: 'tokens' | 'usd';
  /** Tokens, or nano-USD. */
  amount: string;
  period: 'day' | 'month';
  timezone: string;
  threshold_percent: number;
  period_starts_at: Date;
  period_ends_at: Date;
  used: string;
  is_past_threshold: boolean;
  is_exhausted: boolean;
  revision: string;
  created_at: Date;
  updated_at: Date;
}

/** What changes of a budget while it is used. */
export type BudgetUse = Pick<
  BudgetRow,
  'period_starts_at' | 'period_ends_at' | 'used' | 'is_past_threshold' | 'is_exhausted'
>;

/** How much of the amount is the threshold, rounded up: at 100 it is the cap itself. */
export const thresholdOf = ({ amount, threshold_percent }: Pick<BudgetRow, 'amount' | 'threshold_percent'>): bigint =>
  (BigInt(amount) * BigInt(threshold_percent) + 99n) / 100n;

/** The period that an instant is in, by the zone's calendar. */
export function periodOf({ period, timezone }: Pick<BudgetRow, 'period' | 'timezone'>, at: Date) {
  const { startsAt, endsAt } = periodAt(at.getTime(), period, timezone);
  return { period_starts_at: new Date(startsAt), period_ends_at: new Date(endsAt) };
}

/**
 * The use as of an instant: nothing yet, in a period that has begun since. A zone that this version of Node does not know
 * counts as UTC: an error would keep the budgets of all accounts in their periods.
 */
export function useAt(row: BudgetRow, at: Date): BudgetUse {
  if (at < row.period_ends_at) return row;
  const known = isZone(row.timezone) ? row : { ...row, timezone: 'UTC' };
  return { ...periodOf(known, at), used: '0', is_past_threshold: false, is_exhausted: false };
}

export function budgetOf(row: BudgetRow, at: Date): Budget {
  const use = useAt(row, at);
  const isTokens = row.unit === 'tokens';
  return {
    id: row.id,
    agentId: row.agent_id,
    limitTokens: isTokens ? Number(row.amount) : null,
    limitUsd: isTokens ? null : BigInt(row.amount),
    period: row.period,
    timezone: row.timezone,
    thresholdPercent: row.threshold_percent,
    usedTokens: isTokens ? Number(use.used) : null,
    usedUsd: isTokens ? null : BigInt(use.used),
    isExhausted: use.is_exhausted,
    periodStartsAt: use.period_starts_at,
    periodEndsAt: use.period_ends_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
