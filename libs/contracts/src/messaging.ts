import { z } from 'zod';
import { AgentState } from './agent-services.js';
import { PLATFORM_NAMES } from './platforms.js';
import { request } from './request.js';
import { AgentId, Count, JsonObject, MessageId, pageQuery, Pagination, Timestamp, wire } from './wire.js';

/** spec: 00-overview, "Words". `schedule` and `trigger` are not chosen by API callers. */
export const CHANNELS = ['api', ...PLATFORM_NAMES, 'schedule', 'trigger'] as const;
export const Channel = z.enum(CHANNELS);
export type Channel = z.output<typeof Channel>;

export const QueueMode = z.enum(['collect', 'interrupt']);
export type QueueMode = z.output<typeof QueueMode>;

/**
 * `pending` queued · `delivered` claimed by a turn, or a reply that was sent · `read` finished or acknowledged ·
 * `failed` a reply that its chat platform will not show; `error` gives the reason. */
export const MessageStatus = z.enum(['pending', 'delivered', 'read', 'failed']);

const messageShape = {
  id: MessageId,
  role: z.enum(['user', 'assistant']),
  content: z.string(),
  metadata: JsonObject,
  status: MessageStatus,
  channel: Channel,
  queueMode: QueueMode.nullable(),
  conversationId: z.string(),
  replyToId: MessageId.nullable(),
  createdAt: Timestamp,
  deliveredAt: Timestamp.nullable(),
  readAt: Timestamp.nullable(),
  error: wire({ code: z.string(), message: z.string() }).nullable(),
};
export const Message = wire(messageShape);
export type Message = z.output<typeof Message>;

/** Why a pending message is not being answered yet. Of several reasons it is the first in the order of the list. */
export const WaitingFor = wire({
  reason: z.enum(['paused', 'stopped', 'error', 'balance', 'retry', 'turn', 'slot']).meta({
    description:
      'Why it is not being answered yet: the agent is `paused`, `stopped` or in `error`; it has no output tokens left (`balance`); ' +
      'a turn failed for a passing reason and is tried again (`retry`); another `turn` of the agent runs; it is next ' +
      'when a `slot` is free',
  }),
  error: wire({ code: z.string(), message: z.string() })
    .nullable()
    .meta({ description: 'Of `retry`: what the last try failed with, in the provider’s own words where it had any' }),
  nextAttemptAt: Timestamp.nullable().meta({ description: 'Of `retry`: when the next try begins' }),
});

/** A message as readers of the queue see it: with what it waits for, null unless it is a pending one. */
export const MessageInQueue = wire({ ...messageShape, waitingFor: WaitingFor.nullable().default(null) });
export type MessageInQueue = z.output<typeof MessageInQueue>;

/** What `POST messages` answers: the message as it was accepted. */
export const AcceptedMessage = wire({
  id: MessageId,
  role: z.literal('user'),
  content: z.string(),
  metadata: JsonObject,
  status: MessageStatus,
  channel: Channel,
  queueMode: QueueMode,
  conversationId: z.string(),
  createdAt: Timestamp,
});
export type AcceptedMessage = z.output<typeof AcceptedMessage>;

const METADATA_BYTES = 16_384;
const METADATA_DEPTH = 16;

export const MessageMetadata = JsonObject.superRefine((metadata, ctx) => {
  if (depthOf(metadata) > METADATA_DEPTH) ctx.addIssue(`nested deeper than ${METADATA_DEPTH} levels`);
  else if (new TextEncoder().encode(JSON.stringify(metadata)).length > METADATA_BYTES)
    ctx.addIssue('larger than 16 KiB');
});

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > METADATA_DEPTH) return depth;
  return Math.max(depth + 1, ...Object.values(value).map((child) => depthOf(child, depth + 1)));
}

/** Ids of API conversations must not look like those that Roost gives to other channels' conversations. */
const RESERVED_CONVERSATION = new RegExp(`^(${PLATFORM_NAMES.join('|')}|schedule|trigger|agent):`);

export const MessageContent = z.string().min(1).max(100_000);

/** A character that can be seen: no space, control or filler of zero width, and not the empty Braille pattern. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\u2800]/u;

/** The content that an API caller sends: providers refuse blank text as they refuse none. */
const VisibleContent = MessageContent.refine((content) => VISIBLE.test(content), 'must hold more than blanks');

/** The body of `POST /v1/agent/{id}/messages`. */
export const NewMessage = wire({
  content: VisibleContent,
  metadata: MessageMetadata.default({}),
  channel: z
    .enum(['api', ...PLATFORM_NAMES])
    .default('api')
    .meta({ description: 'Not `api`: the reply is shown to the newest person linked there, too; 409 when nobody is' }),
  queueMode: QueueMode.default('collect'),
  conversationId: z
    .string()
    .min(1)
    .max(255)
    .refine((id) => !RESERVED_CONVERSATION.test(id), 'must not start with the name of a channel and a colon')
    .default('default'),
});
export type NewMessage = z.output<typeof NewMessage>;

export const Counterparty = wire({ id: z.string().max(255), displayName: z.string().max(255).nullable() });

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
  output: wire({ message: MessageInQueue, replies: z.array(Message) }),
  timeoutMs: 65_000,
});

/** The query of `GET messages`; the NATS request is the same with the agent's id. */
export const messageListQuery = {
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50),
  before: MessageId.optional(),
  after: MessageId.optional(),
  status: MessageStatus.optional(),
  channel: Channel.optional(),
  conversationId: z.string().max(300).optional(),
};

/** Oldest first; without a cursor, the newest `limit`. Errors: NOT_FOUND, VALIDATION_ERROR (cursor of another agent). */
export const listMessages = request('messaging.message.list', {
  input: wire({ agentId: AgentId, ...messageListQuery }),
  output: wire({ messages: z.array(MessageInQueue), hasMore: z.boolean() }),
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

export const Conversation = wire({
  id: z.string(),
  channel: Channel,
  counterparty: Counterparty,
  messageCount: Count,
  /** Replies that nobody marked read. */
  unreadCount: Count,
  /** `content` holds the first 200 characters. */
  lastMessage: wire({
    id: MessageId,
    role: z.enum(['user', 'assistant']),
    content: z.string(),
    createdAt: Timestamp,
  }).nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Conversation = z.output<typeof Conversation>;

/** Newest activity first. Errors: NOT_FOUND. */
export const listConversations = request('messaging.conversation.list', {
  input: wire({ agentId: AgentId, ...pageQuery }),
  output: wire({ conversations: z.array(Conversation), pagination: Pagination }),
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
 * The durable events of an agent in their order, for a reader that resumes. Retained for 24 h.
 * Without `afterEventId` and `fromStart`: none, only `lastEventId`, from where a fresh reader goes on.
 * `isKnown` false: the event is not retained any more (or never was), so events may be missing; the oldest retained follow.
 * Errors: NOT_FOUND.
 */
export const listAgentEvents = request('messaging.event.list', {
  input: wire({
    agentId: AgentId,
    afterEventId: z.uuid().optional(),
    /** Without `afterEventId`: the oldest retained events, for a reader that began before there was any. */
    fromStart: z.boolean().optional(),
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
