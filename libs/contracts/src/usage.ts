import { z } from 'zod';
import { Channel } from './messages.js';
import { Usd } from './money.js';
import { request } from './request.js';
import { AgentId, Count, Timestamp, wire } from './wire.js';

/** What model steps have used, by agent, model, day or source (docs/usage-and-budgets.md). */

/** What a model step is debited with: see `debitTokens`. */
export const StepUsage = wire({
  /** `provider/model`. */
  model: z.string().min(1).max(300),
  /** Of the turn that made it. */
  source: Channel,
  inputTokens: Count,
  outputTokens: Count,
  /** Part of the input. */
  cachedInputTokens: Count,
  /** Part of the input. */
  cacheWriteTokens: Count,
  /** Part of the output. */
  reasoningTokens: Count,
  /** Null when the price is not known. */
  costUsd: Usd.nullable(),
});
export type StepUsage = z.output<typeof StepUsage>;

export const TimeZone = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'An IANA time zone: whose days and months are meant.', examples: ['Europe/Berlin'] });

const Instant = z
  .string()
  .max(40)
  .regex(/^\d{4}-\d{2}-\d{2}(T\S+)?$/, 'must be a date like 2026-11-29, or a time like 2026-11-29T10:00:00Z');

export const USAGE_GROUPS = ['agent', 'model', 'day', 'source'] as const;
/** The query of `GET /v1/usage`. */
export const usageQuery = {
  groupBy: z.enum(USAGE_GROUPS).default('day').describe('What each row is of.'),
  from: Instant.optional().meta({
    description:
      'From when on: a date of the time zone, or a time, which counts from the begin of its quarter hour. 30 days ago if not given.',
    examples: ['2026-11-01'],
  }),
  to: Instant.optional().meta({
    description: 'Until when, itself not included: a date or a time. Now if not given.',
    examples: ['2026-12-01'],
  }),
  timezone: TimeZone.default('UTC'),
  agentId: AgentId.optional().describe('Only what this agent has used.'),
};

const sums = {
  steps: Count.describe('Calls of models, the failed ones that were counted included.'),
  inputTokens: Count.describe('Tokens the models read, cached ones included.'),
  outputTokens: Count.describe('Tokens the models wrote, reasoning included.'),
  cachedInputTokens: Count.describe('Of the input tokens: read from providers’ caches.'),
  cacheWriteTokens: Count.describe('Of the input tokens: written to providers’ caches.'),
  reasoningTokens: Count.describe('Of the output tokens: reasoning, where the provider reports it.'),
  costUsd: Usd.nullable().describe('What all of it cost; null when the price of some steps is not known.'),
  knownCostUsd: Usd.describe('What the steps cost whose price is known.'),
  unpricedSteps: Count.describe('Steps whose price is not known.'),
};
export const UsageSums = wire(sums);
export type UsageSums = z.output<typeof UsageSums>;

export const UsageRow = wire({
  agentId: AgentId.nullable().describe('With `group_by=agent`; of deleted agents as well.'),
  model: z.string().nullable().describe('With `group_by=model`: `provider/model`.'),
  day: z.string().nullable().describe('With `group_by=day`: a date of the time zone, e.g. `2026-11-29`.'),
  source: Channel.nullable().describe('With `group_by=source`: how the messages came in.'),
  ...sums,
});
export type UsageRow = z.output<typeof UsageRow>;

export const UsageReport = wire({
  from: Timestamp.describe('Begin of what is counted.'),
  to: Timestamp.describe('End of what is counted, itself not included.'),
  timezone: z.string().describe('Whose days are meant.'),
  groupBy: z.enum(USAGE_GROUPS).describe('What each row is of.'),
  rows: z
    .array(UsageRow)
    .describe('Days in their order, others by tokens, the most first. At most 10,000; `total` holds all.'),
  total: UsageSums.describe('The sum of everything.'),
});
export type UsageReport = z.output<typeof UsageReport>;

/** Errors: VALIDATION_ERROR (unknown zone, no such date, more than 400 days). */
export const getUsage = request('lifecycle.usage.report', {
  input: wire(usageQuery),
  output: UsageReport,
  timeoutMs: 15_000,
});
