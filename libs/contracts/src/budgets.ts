import { z } from 'zod';
import { Usd } from './money.js';
import { event, request } from './request.js';
import { TimeZone } from './usage.js';
import { AccountId, AgentId, Count, Timestamp, wire } from './wire.js';

/** Caps of what an account or an agent may use in a day or month (docs/usage-and-budgets.md). */

export const BudgetId = z.uuid().describe('Budget id (UUID).');

const MAX_TOKENS = Number.MAX_SAFE_INTEGER;
const limits = {
  limitTokens: z
    .number()
    .int()
    .min(1)
    .max(MAX_TOKENS)
    .meta({ description: 'Most tokens of a period, input and output together.', examples: [1_000_000] }),
  limitUsd: Usd.describe('Most money of a period.'),
};
const period = z.enum(['day', 'month']).describe('After what the count begins anew, by the calendar of the time zone.');
const thresholdPercent = z
  .number()
  .int()
  .min(1)
  .max(100)
  .describe('At how much of the limit `budget.threshold` is sent, once a period.');

export const Budget = wire({
  id: BudgetId,
  agentId: AgentId.nullable().describe('Whose budget it is; null: that of all agents of the account together.'),
  limitTokens: limits.limitTokens.nullable().describe('Most tokens of a period; null for a budget in money.'),
  limitUsd: limits.limitUsd.nullable().describe('Most money of a period; null for a budget in tokens.'),
  period,
  timezone: TimeZone,
  thresholdPercent,
  usedTokens: Count.nullable().describe('Used in this period; null for a budget in money.'),
  usedUsd: Usd.nullable().describe('Used in this period; null for a budget in tokens.'),
  isExhausted: z
    .boolean()
    .describe('The limit is reached: no model step starts, messages wait until `period_ends_at`.'),
  periodStartsAt: Timestamp.describe('When this period began.'),
  periodEndsAt: Timestamp.describe('When the next one begins.'),
  createdAt: Timestamp.describe('When it was made.'),
  updatedAt: Timestamp.describe('When it was last changed.'),
}).meta({ id: 'Budget', description: 'A cap of what an account or an agent may use in a day or month.' });
export type Budget = z.output<typeof Budget>;

const hasOneLimit = (budget: { limitTokens?: number | undefined; limitUsd?: bigint | undefined }) =>
  (budget.limitTokens === undefined) !== (budget.limitUsd === undefined);

/** The body of `POST /v1/budgets`. */
export const NewBudget = wire({
  agentId: AgentId.nullable()
    .default(null)
    .describe('Whose budget it is; null: that of all agents of the account together.'),
  limitTokens: limits.limitTokens.optional(),
  limitUsd: limits.limitUsd.optional(),
  period: period.default('month'),
  timezone: TimeZone.default('UTC'),
  thresholdPercent: thresholdPercent.default(80),
}).refine(hasOneLimit, 'give either limit_tokens or limit_usd');
export type NewBudget = z.output<typeof NewBudget>;

const changes = {
  limitTokens: limits.limitTokens.optional(),
  limitUsd: limits.limitUsd.optional(),
  period: period.optional(),
  timezone: TimeZone.optional(),
  thresholdPercent: thresholdPercent.optional(),
};
const hasAtMostOneLimit = (budget: { limitTokens?: number | undefined; limitUsd?: bigint | undefined }) =>
  budget.limitTokens === undefined || budget.limitUsd === undefined;
/** The body of `PATCH /v1/budgets/{id}`: absent fields stay. */
export const BudgetChange = wire(changes).refine(hasAtMostOneLimit, 'give either limit_tokens or limit_usd');
export type BudgetChange = z.output<typeof BudgetChange>;

const byId = wire({ budgetId: BudgetId });
/** Errors: NOT_FOUND (agent), VALIDATION_ERROR, CONFLICT (too many). */
export const createBudget = request('lifecycle.budget.create', { input: NewBudget, output: Budget });
/** Those of the account and its agents, oldest first; with `agentId` those that hold for that agent. */
export const listBudgets = request('lifecycle.budget.list', {
  input: wire({
    agentId: AgentId.optional().describe('Only budgets that hold for this agent, those of the account included.'),
  }),
  output: wire({ budgets: z.array(Budget).describe('Oldest first.') }),
});
/** Errors: NOT_FOUND. */
export const getBudget = request('lifecycle.budget.get', { input: byId, output: Budget });
/** Errors: NOT_FOUND, VALIDATION_ERROR. */
export const updateBudget = request('lifecycle.budget.update', {
  input: wire({ budgetId: BudgetId, ...changes }).refine(hasAtMostOneLimit, 'give either limit_tokens or limit_usd'),
  output: Budget,
});
export const deleteBudget = request('lifecycle.budget.delete', {
  input: byId,
  output: wire({ id: BudgetId, message: z.string().describe('That it is deleted.') }),
});

/** What a turn has to know of the budgets that hold for its agent. */
export const BudgetState = wire({
  /** No further model step may start. */
  isExhausted: z.boolean(),
  /** A budget in money holds: a step whose price is not known may not start. */
  needsPrice: z.boolean(),
});
export type BudgetState = z.output<typeof BudgetState>;

const payload = wire({
  accountId: AccountId,
  budget: Budget,
  /** Grows with every change of the budget: an older state never overwrites a newer one. */
  revision: Count,
  occurredAt: Timestamp,
});
/** So much of a budget was used; once a period. */
export const budgetThreshold = event('lifecycle.budget.threshold', payload);
/** The limit of a budget is reached: no model step starts until it is reset. */
export const budgetExhausted = event('lifecycle.budget.exhausted', payload);
/** A budget that was exhausted is so no more: a new period, a higher limit, or it was deleted. */
export const budgetReset = event('lifecycle.budget.reset', payload);

/** Informs messaging ahead of the events, so that a message that is read next already shows it. */
export const syncBudget = request('messaging.budget.sync', {
  input: wire({
    budgetId: BudgetId,
    accountId: AccountId,
    agentId: AgentId.nullable(),
    isExhausted: z.boolean(),
    until: Timestamp,
    revision: Count,
  }),
  output: wire({ accepted: z.boolean() }),
  timeoutMs: 2_000,
});
export type BudgetBlock = z.output<typeof syncBudget.input>;
