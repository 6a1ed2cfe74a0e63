import { z } from 'zod';
import { Channel, QueueMode } from './messaging.js';
import { ChatPlatform, personFields } from './platforms.js';
import { event, request } from './request.js';
import { AccountId, AgentId, MessageId, Timestamp, wire } from './wire.js';

/** What of a group's messages goes to the agent: those that mention or answer the bot, or all of the linked person's. */
export const Listen = z.enum(['mentions', 'all']);
export type Listen = z.output<typeof Listen>;

/** Of the agent's bot on a platform. `connecting`: it is about to, or nobody could yet; `failed`: the reason names what to do. */
export const ChannelHealth = z.enum(['connected', 'connecting', 'failed', 'not_configured']);
export type ChannelHealth = z.output<typeof ChannelHealth>;

/** A person's chat account, linked to an agent. The fields of other platforms are absent. */
export const ChannelBinding = wire({
  id: z.uuid(),
  ...personFields,
  queueMode: QueueMode,
  listen: Listen,
  createdAt: Timestamp,
  /** Of the bot and of the person's own chat; absent in the answer to a change. */
  health: ChannelHealth.optional(),
  /** Why the bot or a chat of this person cannot be reached (refused, blocked, kicked, archived); absent while all can. */
  healthReason: z.string().optional(),
});
export type ChannelBinding = z.output<typeof ChannelBinding>;

const onPlatform = { agentId: AgentId, platform: ChatPlatform };

/** A code to send to the bot; an earlier one is void. Errors: NOT_FOUND, CHANNEL_NOT_CONFIGURED (no bot, or its platform refuses it; the message names the field to set). */
export const createLinkCode = request('channels.link.create', {
  input: wire(onPlatform),
  output: wire({ code: z.string(), expiresAt: Timestamp, instructions: z.string() }),
});

/** `binding` is the newest of `bindings`; `health` is its, or the bot's while nobody is linked. Errors: NOT_FOUND. */
export const getChannelStatus = request('channels.binding.status', {
  input: wire(onPlatform),
  output: wire({
    linked: z.boolean(),
    binding: ChannelBinding.nullable(),
    bindings: z.array(ChannelBinding).optional(),
    health: ChannelHealth.optional(),
    healthReason: z.string().optional(),
  }),
});

/** Unlinks everybody on this platform; nothing is delivered there from now on. Errors: NOT_FOUND. */
export const unlinkChannel = request('channels.binding.remove', {
  input: wire(onPlatform),
  output: wire({ message: z.string() }),
});

/** The body of `PATCH channels/{bindingId}`. */
export const BindingChange = wire({ queueMode: QueueMode.optional(), listen: Listen.optional() });
export type BindingChange = z.output<typeof BindingChange>;

/** Errors: NOT_FOUND. */
export const updateBinding = request('channels.binding.update', {
  input: wire({ agentId: AgentId, bindingId: z.uuid(), queueMode: QueueMode.optional(), listen: Listen.optional() }),
  output: ChannelBinding,
});

export const ChannelEntry = wire({
  type: Channel,
  id: z.string().nullable(),
  linked: z.boolean(),
  counterparty: z.string().nullable(),
  /** Of the linked person's own conversation with the agent; absent where nobody is linked. */
  conversationId: z.string().optional(),
  queueMode: QueueMode.nullable(),
  health: ChannelHealth,
  healthReason: z.string().optional(),
  createdAt: Timestamp.nullable(),
});
export type ChannelEntry = z.output<typeof ChannelEntry>;

/** `api` first. Errors: NOT_FOUND. */
export const listChannels = request('channels.channel.list', {
  input: wire({ agentId: AgentId }),
  output: wire({ channels: z.array(ChannelEntry) }),
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

/** Replies that a platform will not show. Messaging records it at the messages, and publishes `messageFailed`. */
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
