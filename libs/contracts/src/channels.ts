import { z } from 'zod';
import { Channel, QueueMode } from './messages.js';
import { ChatPlatform, personFields } from './platforms.js';
import { event, request } from './request.js';
import { AccountId, AgentId, Done, MessageId, Timestamp, wire } from './wire.js';

/** What of a group's messages goes to the agent: those that mention or answer the bot, or all of the linked person's. */
export const Listen = z.enum(['mentions', 'all']).meta({
  id: 'Listen',
  description:
    'What of a group’s messages goes to the agent: those that mention or answer the bot, or all of the linked person’s.',
});
export type Listen = z.output<typeof Listen>;

/** Of the agent's bot on a platform. `connecting`: it is about to, or nobody could yet; `failed`: the reason names what to do. */
export const ChannelHealth = z.enum(['connected', 'connecting', 'failed', 'not_configured']).meta({
  id: 'ChannelHealth',
  description:
    'How the agent’s bot on the platform is doing. `connecting`: it is about to, or nobody could yet. `failed`: the reason says what to do. `not_configured`: there is no bot.',
});
const healthReason = z.string().optional();
export type ChannelHealth = z.output<typeof ChannelHealth>;

/** A person's chat account, linked to an agent. The fields of other platforms are absent. */
export const ChannelBinding = wire({
  id: z.uuid().describe('The binding’s id.'),
  ...personFields,
  queueMode: QueueMode,
  listen: Listen,
  createdAt: Timestamp.describe('When the person was linked.'),
  health: ChannelHealth.optional().describe(
    'Of the bot and of the person’s own chat; absent in the answer to a change.',
  ),
  healthReason: healthReason.describe(
    'Why the bot or a chat of this person cannot be reached (refused, blocked, kicked, archived); absent while all can.',
  ),
}).meta({
  id: 'ChannelBinding',
  description: 'A person’s chat account, linked to an agent. Fields of other platforms are absent.',
});
export type ChannelBinding = z.output<typeof ChannelBinding>;

const onPlatform = { agentId: AgentId, platform: ChatPlatform };

/** A code to send to the bot; an earlier one is void. Errors: NOT_FOUND, CHANNEL_NOT_CONFIGURED (no bot, or its platform refuses it; the message names the field to set). */
export const createLinkCode = request('channels.link.create', {
  input: wire(onPlatform),
  output: wire({
    code: z.string().describe('Six characters to send to the bot as `/link CODE`. Works once.'),
    expiresAt: Timestamp.describe('Until when: ten minutes.'),
    instructions: z.string().describe('What the person is to do, in words.'),
  }),
});

/** `binding` is the newest of `bindings`; `health` is its, or the bot's while nobody is linked. Errors: NOT_FOUND. */
export const getChannelStatus = request('channels.binding.status', {
  input: wire(onPlatform),
  output: wire({
    linked: z.boolean().describe('Whether anybody is linked.'),
    binding: ChannelBinding.nullable().describe('Who was linked last; null when nobody is.'),
    bindings: z.array(ChannelBinding).optional().describe('Everybody who is linked.'),
    health: ChannelHealth.optional(),
    healthReason: healthReason.describe('Why it is not `connected`.'),
  }),
});

/** Unlinks everybody on this platform; nothing is delivered there from now on. Errors: NOT_FOUND. */
export const unlinkChannel = request('channels.binding.remove', {
  input: wire(onPlatform),
  output: wire({ message: Done }),
});

/** The body of `PATCH channels/{bindingId}`. */
export const BindingChange = wire({ queueMode: QueueMode.optional(), listen: Listen.optional() }).meta({
  id: 'BindingChange',
  description: 'A change of a binding: what is left out stays.',
});
export type BindingChange = z.output<typeof BindingChange>;

/** Errors: NOT_FOUND. */
export const updateBinding = request('channels.binding.update', {
  input: wire({ agentId: AgentId, bindingId: z.uuid(), queueMode: QueueMode.optional(), listen: Listen.optional() }),
  output: ChannelBinding,
});

export const ChannelEntry = wire({
  type: Channel,
  id: z.string().nullable().describe('The binding’s id; null where nobody is linked.'),
  linked: z.boolean().describe('Whether a person is linked. Always true for `api`.'),
  counterparty: z.string().nullable().describe('Who is linked, by name where it is known.'),
  conversationId: z
    .string()
    .optional()
    .describe('Of the linked person’s own conversation with the agent; absent where nobody is linked.'),
  queueMode: QueueMode.nullable().describe('How the person’s messages join the queue.'),
  health: ChannelHealth,
  healthReason: healthReason.describe('Why it is not `connected`.'),
  createdAt: Timestamp.nullable().describe('When the person was linked.'),
}).meta({
  id: 'ChannelEntry',
  description: 'A way to talk to an agent: one per linked person, or one for a platform where nobody is.',
});
export type ChannelEntry = z.output<typeof ChannelEntry>;

/** `api` first. Errors: NOT_FOUND. */
export const listChannels = request('channels.channel.list', {
  input: wire({ agentId: AgentId }),
  output: wire({ channels: z.array(ChannelEntry).describe('`api` first.') }),
});

/**
 * What a platform posted to the gateway, on its way to the bot's connection, which checks that it was the platform.
 * `recipient`: the agent's id, or `shared` (Slack), or the bot's id (Telegram).
 * Errors: NOT_FOUND, SERVICE_UNAVAILABLE (nobody holds the connection now: the platform tries again).
 */
export const receiveChannelWebhook = request('channels.webhook.receive', {
  input: wire({
    platform: ChatPlatform,
    recipient: z.string().min(1).max(100),
    headers: z.record(z.string(), z.string()),
    bodyBase64: z.string(),
  }),
  output: wire({ status: z.number().int(), contentType: z.string(), body: z.string() }),
  timeoutMs: 2_800,
});

/** A platform refuses a bot's credentials: once per agent whose own bot it is, and per credentials. */
export const channelFailed = event(
  'channels.connection.failed',
  wire({ accountId: AccountId, agentId: AgentId, platform: ChatPlatform, reason: z.string(), occurredAt: Timestamp }),
);

/** Replies that a platform will not show, or of which it is not known (`reason` says so). Messaging records it at the messages, and publishes `messageFailed`. */
export const deliveryFailed = event(
  'channels.delivery.failed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    platform: ChatPlatform,
    messageIds: z.array(MessageId),
    reason: z.string(),
    occurredAt: Timestamp,
  }),
);
