import { type Channel, listChannels, listConversations, PLATFORM_NAMES, postMessage, RoostError } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import { toolCall } from './workspace-request.js';

const MAX_LISTED = 50;

/** Somebody the agent can write to. */
interface Recipient {
  conversationId: string;
  channel: Channel;
  name: string;
  /** Linked, but has said nothing yet: the conversation is made by the first message. */
  isNew: boolean;
}

const Sending = zodSchema(
  z.object({
    to: z.string().min(1).max(300).describe('A channel’s name or a conversation’s id'),
    content: z.string().min(1).max(100_000),
  }),
);

/** Says something to another counterparty than the one whose message the turn answers, or at once to this one. */
export function sendMessageTool(context: ToolContext) {
  return tool({
    description: `Send a message of your own to somebody you are linked with, now, beside your reply. Your reply to the current conversation needs no tool. "to" is the name of a channel (${PLATFORM_NAMES.join(', ')}: the person linked there) or the id of a conversation; an unknown one is answered with the list of those you can write to.`,
    inputSchema: Sending,
    execute: async ({ to, content }) => {
      const recipients = await recipientsOf(context);
      const recipient = recipients.find(({ conversationId }) => conversationId === to) ?? byChannel(recipients, to);
      const { conversationId, channel, name, isNew } = recipient;
      await context.bus.request(
        postMessage,
        {
          agentId: context.agentId,
          conversationId,
          content,
          // A turn that is tried again says the same thing once.
          dedupeKey: `post:${context.batchId}:${createHash('sha256').update(`${conversationId}\n${content}`).digest('base64url')}`,
          ...(isNew ? { channel, counterparty: { id: name, displayName: name } } : {}),
        },
        toolCall(context, postMessage.timeoutMs),
      );
      return `Sent to ${name} over ${channel}.`;
    },
  });
}

function byChannel(recipients: Recipient[], channel: string): Recipient {
  const there = recipients.filter((recipient) => recipient.channel === channel);
  const [only] = there;
  if (only && there.length === 1) return only;
  const listed = (there.length > 0 ? there : recipients)
    .map(({ conversationId, channel: over, name }) => `- ${conversationId} (${name} over ${over})`)
    .join('\n');
  throw new RoostError(
    'NOT_FOUND',
    there.length > 1
      ? `${there.length} people are linked over ${channel}: give one conversation’s id\n${listed}`
      : `there is nobody to write to as ${channel}. ${listed ? `You can write to\n${listed}` : 'You have no conversation yet.'}`,
  );
}

/** Conversations, newest activity first, then people who are linked but have not written. */
async function recipientsOf(context: ToolContext): Promise<Recipient[]> {
  const { bus, agentId } = context;
  const [{ conversations }, channels] = await Promise.all([
    bus.request(listConversations, { agentId, page: 1, limit: MAX_LISTED }, toolCall(context, 5_000)),
    // Without the channels service conversations can still be written to; it delivers later.
    bus.request(listChannels, { agentId }, toolCall(context, 5_000)).then(
      (answer) => answer.channels,
      () => [],
    ),
  ]);
  const known = conversations.map(({ id, channel, counterparty }): Recipient => ({
    conversationId: id,
    channel,
    name: counterparty.displayName ?? counterparty.id,
    isNew: false,
  }));
  const ids = new Set(known.map(({ conversationId }) => conversationId));
  const linked = channels.flatMap(({ conversationId, type, counterparty }): Recipient[] =>
    conversationId && !ids.has(conversationId)
      ? [{ conversationId, channel: type, name: counterparty ?? conversationId, isNew: true }]
      : [],
  );
  return [...known, ...linked];
}
