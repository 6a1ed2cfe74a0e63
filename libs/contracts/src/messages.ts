import { z } from 'zod';
import { PLATFORM_NAMES } from './platforms.js';
import { Count, JsonObject, MessageId, Timestamp, wire } from './wire.js';

/** spec: 00-overview, "Words". `schedule` and `trigger` are not chosen by API callers. */
export const CHANNELS = ['api', ...PLATFORM_NAMES, 'schedule', 'trigger'] as const;
export const Channel = z.enum(CHANNELS).meta({
  id: 'Channel',
  description:
    'How a message came: through the API, a chat platform, a schedule or a trigger. A reply has the channel of its message.',
});
export type Channel = z.output<typeof Channel>;

export const QueueMode = z.enum(['collect', 'interrupt']).meta({
  id: 'QueueMode',
  description:
    '`collect`: waits until the running turn ends; all that wait in the same conversation are then answered together. ' +
    '`interrupt`: stops the running turn of the agent within a second and is answered next; what the agent had said is kept, marked interrupted.',
});
export type QueueMode = z.output<typeof QueueMode>;

export const MessageStatus = z.enum(['pending', 'delivered', 'read', 'failed']).meta({
  id: 'MessageStatus',
  description:
    '`pending`: queued. `delivered`: a turn has taken it, or it is a reply that was sent. `read`: the turn has finished with it, ' +
    'or it is a reply that was marked read. `failed`: a reply that its chat platform will not show; `error` says why.',
});

export const MessageError = wire({
  code: z.string().describe('What kind of failure it is, for programs, such as `DELIVERY_FAILED`.'),
  message: z
    .string()
    .describe('What went wrong, for people; of a model, in its provider’s own words where it had any.'),
}).meta({ id: 'MessageError', description: 'What went wrong.' });

/** Of an API message: the caller's own, or `default`; of chats, schedules and triggers one that begins with their name. */
const ConversationId = z
  .string()
  .describe(
    'The conversation it belongs to: `default` or the caller’s own; of others `discord:…`, `schedule:…` and so on.',
  );

const messageShape = {
  id: MessageId,
  role: z.enum(['user', 'assistant']).describe('`user`: to the agent. `assistant`: from it.'),
  content: z.string().describe('The text. Of an agent: Markdown.'),
  metadata: JsonObject.describe('What the sender gave along; `{}` for replies.'),
  status: MessageStatus,
  channel: Channel,
  queueMode: QueueMode.nullable().describe('How it joined the queue; null for replies.'),
  conversationId: ConversationId,
  replyToId: MessageId.nullable().describe(
    'Of a reply: the message it answers, the last one of several. Null otherwise.',
  ),
  createdAt: Timestamp.describe('When it was accepted, or written by the agent.'),
  deliveredAt: Timestamp.nullable().describe('When a turn took it, or the reply was sent. Null before.'),
  readAt: Timestamp.nullable().describe('When the turn finished with it, or the reply was marked read. Null before.'),
  error: MessageError.nullable().describe('Why it was given up, or could not be shown. Null when all is well.'),
};
export const Message = wire(messageShape).meta({ id: 'Message', description: 'A text to an agent or from it.' });
export type Message = z.output<typeof Message>;

/** Why a pending message is not being answered yet. Of several reasons it is the first in the order of the list. */
export const WaitingFor = wire({
  reason: z.enum(['paused', 'stopped', 'error', 'balance', 'budget', 'approval', 'retry', 'turn', 'slot']).meta({
    description:
      'Why it is not being answered yet: the agent is `paused`, `stopped` or in `error`; it has no output tokens left (`balance`); a budget is exhausted (`budget`); ' +
      'its conversation waits for a person who decides about a call of a tool (`approval`); ' +
      'a turn failed for a passing reason and is tried again (`retry`); another `turn` of the agent runs; it is next ' +
      'when a `slot` is free',
  }),
  error: MessageError.nullable().describe('Of `retry`: what the last try failed with. Null otherwise.'),
  nextAttemptAt: Timestamp.nullable().describe(
    'Of `retry`: when the next try begins; of `budget`: when its next period does. Null otherwise.',
  ),
}).meta({ id: 'WaitingFor', description: 'Why a message is still `pending`.' });

/** A message as readers of the queue see it: with what it waits for, null unless it is a pending one. */
export const MessageInQueue = wire({
  ...messageShape,
  waitingFor: WaitingFor.nullable().describe('Why it is still `pending`; null when it is not.').default(null),
}).meta({ id: 'MessageInQueue', description: 'A message, with what it waits for.' });
export type MessageInQueue = z.output<typeof MessageInQueue>;

/** What `POST messages` answers: the message as it was accepted. */
export const AcceptedMessage = wire({
  id: MessageId,
  role: z.literal('user').describe('Always `user`.'),
  content: messageShape.content,
  metadata: messageShape.metadata,
  status: MessageStatus,
  channel: Channel,
  queueMode: QueueMode,
  conversationId: ConversationId,
  createdAt: messageShape.createdAt,
}).meta({ id: 'AcceptedMessage', description: 'A message as it was accepted: it is on disk.' });
export type AcceptedMessage = z.output<typeof AcceptedMessage>;

const METADATA_BYTES = 16_384;
const METADATA_DEPTH = 16;

export const MessageMetadata = JsonObject.superRefine((metadata, ctx) => {
  if (depthOf(metadata) > METADATA_DEPTH) ctx.addIssue(`nested deeper than ${METADATA_DEPTH} levels`);
  else if (new TextEncoder().encode(JSON.stringify(metadata)).length > METADATA_BYTES)
    ctx.addIssue('larger than 16 KiB');
}).describe(
  'Anything of yours: given to the agent, and part of webhooks and events. At most 16 KiB of JSON, 16 levels deep.',
);

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > METADATA_DEPTH) return depth;
  return Math.max(depth + 1, ...Object.values(value).map((child) => depthOf(child, depth + 1)));
}

/** Ids of API conversations must not look like those that Roost gives to other channels' conversations. */
const RESERVED_CONVERSATION = new RegExp(`^(${PLATFORM_NAMES.join('|')}|schedule|trigger|agent):`);

export const MessageVersion = z
  .number()
  .int()
  .min(1)
  .max(2_147_483_647)
  .describe(
    'The version of the agent’s configuration that is to answer it, such as a draft that is being tried. Of messages that are answered together the last that names one counts. The present one if not given, or the one that the conversation is pinned to.',
  );

export const MessageContent = z
  .string()
  .min(1)
  .max(100_000)
  .meta({ description: 'The text: 1 to 100,000 characters, and not blank.', examples: ['What is in notes.txt?'] });

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
    .describe('Not `api`: the reply is shown to the newest person linked there, too; 409 when nobody is.'),
  queueMode: QueueMode.default('collect'),
  conversationId: z
    .string()
    .min(1)
    .max(255)
    .refine((id) => !RESERVED_CONVERSATION.test(id), 'must not start with the name of a channel and a colon')
    .default('default')
    .describe(
      'Groups messages that belong together: one per user or topic of yours. Messages of a conversation are answered in their order; the agent sees those of the same conversation as its history. It must not begin with the name of a channel and a colon.',
    ),
  version: MessageVersion.optional(),
}).meta({ id: 'NewMessage', description: 'A message to an agent.' });
export type NewMessage = z.output<typeof NewMessage>;

export const Counterparty = wire({
  id: z.string().max(255).describe('Who is at the other end: an id within the channel.'),
  displayName: z.string().max(255).nullable().describe('Their name, where the channel knows one.'),
}).meta({ id: 'Counterparty', description: 'Who is at the other end of a conversation.' });

/** The query of `GET messages`; the NATS request is the same with the agent's id. */
export const messageListQuery = {
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(50).describe('Most messages to return.'),
  before: MessageId.optional().describe('Only messages older than this one: its id.'),
  after: MessageId.optional().describe('Only messages newer than this one: its id. The oldest of them come first.'),
  status: MessageStatus.optional().describe('Only messages with this status.'),
  channel: Channel.optional().describe('Only messages of this channel.'),
  conversationId: z.string().max(300).optional().describe('Only messages of this conversation.'),
};

export const PinnedVersion = MessageVersion.nullable().describe(
  'The version of the agent’s configuration that answers in it, whatever the agent has; null: the present one.',
);

export const Conversation = wire({
  id: z.string().describe('Its id, the `conversation_id` of its messages.'),
  channel: Channel,
  counterparty: Counterparty,
  messageCount: Count.describe('How many messages it has, both ways.'),
  unreadCount: Count.describe('Replies that nobody marked read.'),
  lastMessage: wire({
    id: MessageId,
    role: messageShape.role,
    content: z.string().describe('Its first 200 characters.'),
    createdAt: messageShape.createdAt,
  })
    .nullable()
    .describe('The newest message.'),
  pinnedVersion: PinnedVersion.default(null),
  createdAt: Timestamp.describe('When it began.'),
  updatedAt: Timestamp.describe('When something was last said in it.'),
}).meta({ id: 'Conversation', description: 'All messages between an agent and one counterparty.' });
export type Conversation = z.output<typeof Conversation>;
