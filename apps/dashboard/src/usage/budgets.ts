import type { Budget, NewBudget } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { compactCount, costText } from '../components/amounts.js';
import { OWN_ZONE } from '../components/time.js';

export const budgetsKey = ['budgets'] as const;

export const budgetsQuery = queryOptions({
  queryKey: budgetsKey,
  queryFn: ({ signal }) => roost.usage.budgets.list(undefined, { signal }),
  refetchInterval: 15_000,
});

/** Of a form: what is typed. */
export interface BudgetDraft {
  /** Empty: all agents together. */
  agentId: string;
  unit: 'usd' | 'tokens';
  limit: string;
  period: Budget['period'];
  timezone: string;
  threshold: string;
}

export const draftOf = (budget?: Budget): BudgetDraft => ({
  agentId: budget?.agent_id ?? '',
  unit: budget && budget.limit_usd === null ? 'tokens' : 'usd',
  limit: String(budget?.limit_usd ?? budget?.limit_tokens ?? ''),
  period: budget?.period ?? 'month',
  timezone: budget?.timezone ?? OWN_ZONE,
  threshold: String(budget?.threshold_percent ?? 80),
});

/** Saves it: of one that is there, whose it is and its unit stay. */
export function saveBudget({ agentId, unit, limit, period, timezone, threshold }: BudgetDraft, id?: string) {
  const cap = unit === 'usd' ? { limit_usd: limit.trim() } : { limit_tokens: Number(limit) };
  const fields = { ...cap, period, timezone, threshold_percent: Number(threshold) };
  if (id !== undefined) return roost.usage.budgets.update(id, fields);
  const made: NewBudget = { ...fields, agent_id: agentId || null };
  return roost.usage.budgets.create(made);
}

/** What is used of it, in words and as a part of a hundred. */
export function useOf(budget: Budget): { text: string; percent: number } {
  const isMoney = budget.limit_usd !== null;
  const [used, limit] = isMoney
    ? [Number(budget.used_usd), Number(budget.limit_usd)]
    : [budget.used_tokens ?? 0, budget.limit_tokens ?? 0];
  const text = isMoney
    ? `${costText(used)} of ${costText(limit)}`
    : `${compactCount(used)} of ${compactCount(limit)} tokens`;
  return { text, percent: limit === 0 ? 100 : Math.round((100 * used) / limit) };
}
