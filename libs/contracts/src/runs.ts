import { z } from 'zod';
import { StepApproval } from './approvals.js';
import { Channel, Message, MessageInQueue } from './messages.js';
import { Usd } from './money.js';
import { request } from './request.js';
import { AgentId, Count, MessageId, Timestamp, wire } from './wire.js';

/** Runs: turns as users see them, from the first attempt to the last (docs/runs.md). */

export const RUN_STATUSES = ['running', 'waiting', 'completed', 'failed', 'interrupted', 'cancelled'] as const;
export const RunStatus = z
  .enum(RUN_STATUSES)
  .describe(
    '`running`: an attempt is under way · `waiting`: the last attempt came to nothing and another follows; its messages say ' +
      'what they wait for · `completed`: answered · `failed`: ended with an error · `interrupted`: a newer message took its ' +
      'place · `cancelled`: by its owner.',
  );
export type RunStatus = z.output<typeof RunStatus>;

/** Of a run or a step that has come to nothing. */
const Reason = wire({
  code: z.string().describe('What happened, for programs, e.g. `MODEL_OVERLOADED`.'),
  message: z.string().describe('What happened, for people.'),
});

export const RunId = z.uuid().describe('Run id (UUID).');

const runFields = {
  id: RunId,
  agentId: AgentId,
  conversationId: z.string().describe('The conversation whose messages it answers.'),
  source: Channel.describe('How the newest of its messages came in.'),
  status: RunStatus,
  cancelRequested: z.boolean().describe('It was cancelled, and its worker has not stopped yet.'),
  startedAt: Timestamp.describe('When its first attempt began.'),
  endedAt: Timestamp.nullable().describe('When it ended; null while it runs or waits.'),
  attemptCount: Count.describe('How often it was begun, the attempt under way included.'),
  messageIds: z.array(MessageId).describe('The messages that its last attempt answers, oldest first.'),
  excerpt: z
    .string()
    .nullable()
    .default(null)
    .describe('How the newest of its messages begins, up to 200 characters; null when that is gone.'),
  replyIds: z.array(MessageId).describe('The replies that it gave.'),
  error: Reason.nullable().describe('What the last attempt ended with, unless that answered or still runs.'),
};
/** As messaging knows it: without what it used. */
export const Run = wire(runFields);
export type Run = z.output<typeof Run>;

export const RunUsage = wire({
  inputTokens: Count.describe('Tokens the models read, cached ones included.'),
  outputTokens: Count.describe('Tokens the models wrote, those of their reasoning included.'),
  cachedInputTokens: Count.describe('Of the input tokens: read from the provider’s cache.'),
  reasoningTokens: Count.describe('Of the output tokens: reasoning, where the provider reports it.'),
  costUsd: Usd.nullable().describe(
    'What the model steps cost by the prices of their time; null when a price is not known.',
  ),
});
export type RunUsage = z.output<typeof RunUsage>;

/** One run of a list. */
export const RunListItem = wire({
  ...runFields,
  usage: RunUsage.nullable().describe(
    'What all attempts have used so far; null while the service that counts is away.',
  ),
});

/** One try to carry a run out. */
export const RunAttempt = wire({
  number: Count.describe('From 1; attempts that were only handed on count as well.'),
  turnId: z.uuid().describe('Id of the attempt: `turn_id` of events and webhooks.'),
  state: z
    .enum(['running', 'completed', 'failed', 'interrupted', 'released', 'expired', 'suspended'])
    .describe(
      'How it ended: `released` was handed back, e.g. as its worker was stopped; `expired` is that of a worker that was lost; ' +
        '`suspended` waits for approvals, and another attempt goes on after the decision.',
    ),
  startedAt: Timestamp.describe('When a worker claimed it.'),
  endedAt: Timestamp.nullable().describe('When it ended; null while it runs.'),
  messageIds: z
    .array(MessageId)
    .describe('Its messages, oldest first: a failing batch is halved, and newer messages join.'),
  willRetry: z.boolean().describe('Another attempt follows it.'),
  error: Reason.nullable().describe('Why it did not come to an answer.'),
});
export type RunAttempt = z.output<typeof RunAttempt>;

/** The query of `GET runs`; the NATS request is the same with the agent's id. */
export const runListQuery = {
  status: RunStatus.optional().describe('Only runs of this status.'),
  source: Channel.optional().describe('Only runs whose newest message came in this way.'),
  from: Timestamp.optional().describe('Only runs that began then or later.'),
  to: Timestamp.optional().describe('Only runs that began before.'),
  before: RunId.optional().describe('Only runs older than this one: the last of the page before.'),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50).describe('Most runs of a page.'),
};

/** Newest first. Errors: NOT_FOUND, VALIDATION_ERROR (cursor of another agent). */
export const listRuns = request('messaging.run.list', {
  input: wire({ agentId: AgentId, ...runListQuery }),
  output: wire({ runs: z.array(Run), hasMore: z.boolean() }),
});

const byRun = wire({ agentId: AgentId, runId: RunId });

/** A run with its newest attempts (at most 100), oldest first, and messages. Errors: NOT_FOUND. */
export const getRun = request('messaging.run.get', {
  input: byRun,
  output: wire({
    run: Run,
    attempts: z.array(RunAttempt),
    messages: z.array(MessageInQueue),
    replies: z.array(Message),
    /** By the ids of calls; at most 1,000. */
    approvals: z.array(wire({ toolCallId: z.string(), approval: StepApproval })).default([]),
  }),
});

export const ModelStep = wire({
  model: z.string().describe('`provider/model`.'),
  finishReason: z
    .string()
    .nullable()
    .describe(
      'Why the model stopped: `stop`, `tool-calls`, `length`, `content-filter` …; null when it did not come to an end.',
    ),
  inputTokens: Count.nullable().describe(
    'Tokens read, cached ones included; null when the provider did not report them.',
  ),
  outputTokens: Count.nullable().describe(
    'Tokens written, reasoning included; null when the provider did not report them.',
  ),
  cachedInputTokens: Count.nullable().describe('Of the input tokens: read from the provider’s cache.'),
  cacheWriteTokens: Count.nullable().default(null).describe('Of the input tokens: written to the provider’s cache.'),
  reasoningTokens: Count.nullable().describe('Of the output tokens: reasoning, where the provider reports it.'),
  costUsd: Usd.nullable().describe('By the price of its time; null when that or the tokens are not known.'),
  timeToFirstTokenMs: Count.nullable().describe('From the request to the first word, thought or call of the answer.'),
});

export const ToolStep = wire({
  name: z.string().describe('Name of the tool, as the model called it.'),
  callId: z.string().describe('Id of the call, as in `tool.call` events.'),
  arguments: z
    .string()
    .nullable()
    .describe('JSON, cut to 4,000 characters, secrets masked; null when a run has too many.'),
  result: z
    .string()
    .nullable()
    .describe('Text, cut to 4,000 characters, secrets masked; null while it runs, or when a run has too many.'),
  isTruncated: z.boolean().describe('Arguments or result were cut or left out.'),
  isError: z.boolean().describe('The tool failed, or was cut off.'),
  exitCode: z.number().int().nullable().describe('Of a command: its exit code; null when it was killed or runs.'),
  approval: StepApproval.nullable().describe('Whom it was asked of and what was decided; null where nobody was asked.'),
});

export const RUN_STEP_KINDS = ['model', 'tool', 'compaction', 'retry', 'interruption'] as const;
/** What happened inside an attempt. */
export const RunStep = wire({
  attempt: Count.default(1).describe('Number of the attempt.'),
  number: Count.describe('From 1 within the attempt, in the order in which steps began.'),
  kind: z
    .enum(RUN_STEP_KINDS)
    .describe(
      '`model`: a call of the model · `tool`: a call of a tool · `compaction`: the older part of the conversation was ' +
        'summarised by a model · `retry`: a model call failed and was made again · `interruption`: the attempt was stopped.',
    ),
  startedAt: Timestamp.describe('When it began.'),
  durationMs: Count.nullable().describe('How long it took; null while it runs.'),
  model: ModelStep.nullable().describe('Of `model` and `compaction`.'),
  tool: ToolStep.nullable().describe('Of `tool`.'),
  reason: Reason.nullable().describe('Of `retry`, `interruption` and steps that failed.'),
});
export type RunStep = z.output<typeof RunStep>;

/**
 * The steps of a run's newest attempts, oldest first, as they are written down: those of a running one may be a second
 * old. Of an unknown run: none.
 */
export const getRunSteps = request('runtime.run.steps', {
  input: byRun,
  output: wire({
    sessionId: z.uuid().nullable(),
    /** Of the newest attempt. */
    configurationVersion: Count.nullable().optional(),
    usage: RunUsage,
    attempts: z.array(wire({ turnId: z.uuid(), steps: z.array(RunStep) })),
  }),
});

/** What runs have used in all attempts; those without any are absent. */
export const sumRuns = request('runtime.run.sum', {
  input: wire({ agentId: AgentId, runIds: z.array(RunId).max(100) }),
  output: wire({ usage: z.record(z.string(), RunUsage) }),
  timeoutMs: 2_000,
});

/** What `GET runs/{run_id}` answers. */
export const RunDetail = wire({
  ...runFields,
  usage: RunUsage.describe('What all attempts have used so far.'),
  sessionId: z.uuid().nullable().describe('The session whose transcript holds it; null until an attempt has ended.'),
  configurationVersion: Count.nullable().describe(
    'The version of the agent’s configuration that its last attempt ran with; null as long as none has begun.',
  ),
  attempts: z.array(RunAttempt).describe('The newest 100 attempts, oldest first.'),
  messages: z.array(MessageInQueue).describe('The messages of its last attempt, oldest first.'),
  replies: z.array(Message).describe('What it answered, oldest first.'),
  steps: z.array(RunStep).describe('What happened, in order; of a running attempt up to about a second ago.'),
});

/**
 * Stops a run: the worker of a running one ends it within a moment, one that waits ends at once; its messages are not
 * answered. Again changes nothing. Errors: NOT_FOUND, CONFLICT (ended in another way).
 */
export const cancelRun = request('messaging.run.cancel', { input: byRun, output: Run });
