import { z } from 'zod';
import { AgentState } from './agent-services.js';
import {
  AcceptedMessage,
  Channel,
  Conversation,
  Counterparty,
  Message,
  MessageContent,
  MessageInQueue,
  messageListQuery,
  MessageMetadata,
  MessageVersion,
  PinnedVersion,
  QueueMode,
} from './messages.js';
import { request } from './request.js';
import { RunId } from './runs.js';
import { AgentId, Count, MessageId, pageQuery, Pagination, Timestamp, wire } from './wire.js';

/**
 * Queues a message for an agent. Committed to disk when the reply arrives.
 * Ordering: per conversation, by arrival. `dedupeKey` seen before for this agent → the first message again.
 * Errors: NOT_FOUND, AGENT_UNAVAILABLE (stopped or in error).
 */
export const sendMessage = request('messaging.message.send', {
  input: wire({
    agentId: AgentId,
    content: MessageContent,
    metadata: MessageMetadata.default({}),
    channel: Channel.default('api'),
    queueMode: QueueMode.default('collect'),
    conversationId: z.string().min(1).max(300).default('default'),
    counterparty: Counterparty.optional(),
    dedupeKey: z.string().max(300).optional(),
    /** The version of the agent's configuration that is to answer it. */
    version: MessageVersion.optional(),
  }),
  output: AcceptedMessage,
});

/**
 * Records what an agent sends by itself, outside the reply of its turn, in one of its conversations. Channels deliver
 * it by the event. With a `counterparty` the conversation is made if there is none. `dedupeKey` seen before for this
 * agent → the first message again. Errors: NOT_FOUND (agent, or conversation without a `counterparty`).
 */
export const postMessage = request('messaging.message.post', {
  input: wire({
    agentId: AgentId,
    conversationId: z.string().min(1).max(300),
    content: MessageContent,
    channel: Channel.optional(),
    counterparty: Counterparty.optional(),
    dedupeKey: z.string().max(300).optional(),
  }),
  output: Message,
});

/** One message and its replies; holds up to `waitSeconds` until there is a reply or an error. Errors: NOT_FOUND. */
export const getMessage = request('messaging.message.get', {
  input: wire({ agentId: AgentId, messageId: MessageId, waitSeconds: z.number().min(0).max(60).default(0) }),
  output: wire({
    message: MessageInQueue.describe('The message that was asked for.'),
    replies: z.array(Message).describe('The agent’s replies to it, in order. Empty while there is none.'),
    runId: z
      .uuid()
      .nullable()
      .default(null)
      .describe(
        'The run that answers it or has answered it, or that wrote it; null while none does, or when it is gone.',
      ),
  }),
  timeoutMs: 65_000,
});

/** Oldest first; without a cursor, the newest `limit`. Errors: NOT_FOUND, VALIDATION_ERROR (cursor of another agent). */
export const listMessages = request('messaging.message.list', {
  input: wire({ agentId: AgentId, ...messageListQuery }),
  output: wire({
    messages: z.array(MessageInQueue).describe('Oldest first.'),
    hasMore: z.boolean().describe('Whether there are more in the direction that was asked for.'),
  }),
});

/**
 * The texts of a conversation before one of its messages and after `since`, oldest first: the newest `limit`, and of
 * these no more than have `maxChars` together. For a model's context, which needs neither ids nor states.
 */
export const recentTexts = request('messaging.message.recent', {
  input: wire({
    agentId: AgentId,
    conversationId: z.string().max(300),
    before: MessageId,
    since: Timestamp.nullable(),
    limit: z.number().int().min(1).max(100),
    maxChars: z.number().int().min(1).max(1_000_000),
  }),
  output: wire({ texts: z.array(wire({ role: Message.in.shape.role, content: z.string() })) }),
});

/** Counts per agent, for lists and summaries; unknown agents are absent. */
export const countMessages = request('messaging.message.count', {
  input: wire({ agentIds: z.array(AgentId).max(100) }),
  output: wire({ counts: z.record(z.string(), Count) }),
});

/** Marks a reply read; again changes nothing. Errors: NOT_FOUND, CONFLICT (a message that is not a reply). */
export const markMessageRead = request('messaging.message.read', {
  input: wire({ agentId: AgentId, messageId: MessageId }),
  output: Message,
});

/** Newest activity first. Errors: NOT_FOUND. */
export const listConversations = request('messaging.conversation.list', {
  input: wire({ agentId: AgentId, ...pageQuery }),
  output: wire({
    conversations: z.array(Conversation).describe('Newest activity first.'),
    pagination: Pagination,
  }),
});

/** Has a version of the agent's configuration answer in a conversation, or, by null, the present one again. Errors: NOT_FOUND. */
export const pinConversation = request('messaging.conversation.pin', {
  input: wire({ agentId: AgentId, conversationId: z.string().min(1).max(300), pinnedVersion: PinnedVersion }),
  output: wire({ id: z.string().describe('The conversation.'), pinnedVersion: PinnedVersion }),
});

/** A durable event of an agent: `id` is the `roost-event-id` header of the same event on the bus. */
export const AgentEvent = wire({
  id: z.uuid(),
  /** E.g. `events.messaging.message.created`; `payload` has that event's wire form. */
  subject: z.string(),
  payload: z.json(),
  createdAt: Timestamp,
});
export type AgentEvent = z.output<typeof AgentEvent>;

/**
 * The durable events of an agent in their order, for a reader that resumes. Retained for 24 h, and removed in that order.
 * Without `afterEventId` and `fromStart`: none, only `lastEventId`, from where a fresh reader goes on.
 * `isKnown` false: the event, or the begin of the run, is not retained any more (or never was), so events may be missing;
 * the oldest retained follow.
 * Errors: NOT_FOUND.
 */
export const listAgentEvents = request('messaging.event.list', {
  input: wire({
    agentId: AgentId,
    afterEventId: z.uuid().optional(),
    /** Without `afterEventId`: the oldest retained events, for a reader that began before there was any. */
    fromStart: z.boolean().optional(),
    /** With `fromStart`: from where this run began, with the events of the agent that are of no run or another. */
    runId: RunId.optional(),
    limit: z.number().int().min(1).max(200).default(100),
  }),
  output: wire({
    events: z.array(AgentEvent),
    hasMore: z.boolean(),
    isKnown: z.boolean(),
    lastEventId: z.uuid().nullable(),
  }),
});

/** Sends messaging an agent's state ahead of the event, so that the next request already sees it. */
export const syncAgent = request('messaging.agent.sync', {
  input: AgentState,
  output: wire({ accepted: z.boolean() }),
  timeoutMs: 2_000,
});
