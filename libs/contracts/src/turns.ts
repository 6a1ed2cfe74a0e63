import { z } from 'zod';
import { DecidedCall, MAX_SUSPENDED_CALLS, SuspendedCall } from './approvals.js';
import { Channel, Counterparty, Message, MessageVersion } from './messages.js';
import { request } from './request.js';
import { AccountId, AgentId, Count, MessageId, wire } from './wire.js';

/** A turn as its worker sees it. */
export const ClaimedTurn = wire({
  turnId: z.uuid(),
  /** The run that this is an attempt of: its first turn. A messaging service of an older version does not say it. */
  runId: z.uuid().optional(),
  /** Compared at every write of this turn: a worker whose lease was taken over can write nothing. */
  fencingToken: Count,
  agentId: AgentId,
  accountId: AccountId,
  conversationId: z.string(),
  channel: Channel,
  counterparty: Counterparty,
  /** The batch, oldest first. */
  messages: z.array(Message),
  /** The traces of those of them that belong to one, in W3C form: the turn goes on with the first. */
  traceparents: z.array(z.string().max(100)).optional(),
  /** 1 for the first try. */
  attempt: Count,
  /** The reply text of an earlier attempt, '' if none. */
  partialReply: z.string(),
  leaseMs: Count,
  /** The version of the agent's configuration that answers; absent: the present one. */
  version: MessageVersion.optional(),
  /**
   * What was decided about the calls that its run was last suspended for. A messaging service of an older version does not
   * say it.
   */
  approvals: z.array(DecidedCall).optional(),
});
export type ClaimedTurn = z.output<typeof ClaimedTurn>;

/**
 * Claims the next batch of an agent without a running turn, oldest waiting conversation first; null when nothing waits.
 * `hasMore`: another agent waited too; for what becomes ready later a hint is published.
 */
export const claimTurn = request('messaging.turn.claim', {
  input: wire({
    workerId: z.string().min(1).max(200),
    /** Accounts that hold their share of the worker's slots: nothing of theirs is wanted. At most one per slot. */
    fullAccounts: z.array(z.uuid()).max(1_000).optional(),
  }),
  output: wire({ turn: ClaimedTurn.nullable(), hasMore: z.boolean().default(true) }),
});

const Fence = { turnId: z.uuid(), fencingToken: Count };

/** Extends the lease. `cancelled`: the worker must stop: interrupted, or (`stopped`) the agent may not act any more. Errors: CONFLICT (lease lost). */
export const heartbeatTurn = request('messaging.turn.heartbeat', {
  input: wire({ ...Fence, partialReply: z.string().optional() }),
  output: wire({
    cancelled: z.boolean(),
    stopped: z.boolean().default(false),
    /** A budget is exhausted: no further model step may start. */
    lacksBudget: z.boolean().default(false),
    waitingMessages: Count,
  }),
});

export const Usage = wire({
  inputTokens: Count.describe('Tokens that the model read, cached ones included.'),
  outputTokens: Count.describe('Tokens that the model wrote: these are taken from the balance.'),
  cachedInputTokens: Count.describe('Of the tokens read, those that came from the provider’s cache.'),
}).meta({ id: 'Usage', description: 'Tokens that a turn took.' });
export type Usage = z.output<typeof Usage>;

/** Records the replies and ends the turn. Idempotent by (turn, token). Errors: CONFLICT (lease lost: the reply is discarded). */
export const completeTurn = request('messaging.turn.complete', {
  input: wire({ ...Fence, replies: z.array(z.string().max(1_000_000)).max(20), usage: Usage }),
  output: wire({ replyIds: z.array(MessageId) }),
});

/** A provider that asks to be left alone for longer is called again after so long all the same. */
export const MAX_RETRY_AFTER_MS = 900_000;

/**
 * Ends a turn that did not come to an answer. `retryable` failures are tried again with backoff, up to 5 tries,
 * then the messages get the error. Errors: CONFLICT (lease lost).
 */
export const failTurn = request('messaging.turn.fail', {
  input: wire({
    ...Fence,
    error: wire({ code: z.string().max(100), message: z.string().max(2_000) }),
    retryable: z.boolean(),
    partialReply: z.string().default(''),
    /** Of a `retryable` one: the next try begins no sooner than after so long. A service of an older version refuses it. */
    retryAfterMs: Count.max(MAX_RETRY_AFTER_MS).optional(),
  }),
  output: wire({ willRetry: z.boolean() }),
});

/**
 * Ends a turn that was interrupted: the text so far is stored, marked interrupted; the batch is not answered again. That of
 * a turn whose agent was stopped goes back to the queue. Errors: CONFLICT.
 */
export const interruptedTurn = request('messaging.turn.interrupted', {
  input: wire({ ...Fence, partialReply: z.string(), usage: Usage }),
  output: wire({ accepted: z.boolean() }),
});

/** Hands a turn back untouched, when its worker shuts down or its agent was stopped: its messages are pending again. Errors: CONFLICT. */
export const releaseTurn = request('messaging.turn.release', {
  input: wire({
    ...Fence,
    /** Why, for who reads the run. A worker of an older version does not say it. */
    reason: wire({ code: z.string().max(100), message: z.string().max(2_000) }).optional(),
  }),
  output: wire({ accepted: z.boolean() }),
});

/**
 * Ends an attempt whose run waits for people to decide about calls: its messages are pending again, and nothing of its
 * conversation is claimed until all is decided. Idempotent by (turn, token), and by the approvals' ids for a later attempt
 * that asks the same. `suspended` false: the turn was interrupted meanwhile and has ended. Errors: CONFLICT (lease lost).
 */
export const suspendTurn = request('messaging.turn.suspend', {
  input: wire({
    ...Fence,
    calls: z.array(SuspendedCall).min(1).max(MAX_SUSPENDED_CALLS),
    /** `platform:id` of those who may decide on chat platforms; null: everybody who is linked with the agent. */
    approvers: z.array(z.string().max(300)).max(1_000).nullable().default(null),
    expiresAfterSeconds: z.number().int().min(1).max(31_536_000),
    partialReply: z.string().default(''),
  }),
  output: wire({ suspended: z.boolean() }),
  timeoutMs: 15_000,
});
