import type { Conversation } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import type { IconName } from '../components/icon-name.js';

/** Those with the newest activity; an older one is found by its address. */
const MAX_LISTED = 200;
/** Where messages go that name no conversation. */
export const DEFAULT_CONVERSATION = 'default';

export const conversationsQuery = (agentId: string) =>
  queryOptions({
    queryKey: [...agentKey(agentId), 'conversations'],
    queryFn: ({ signal }) => roost.agent(agentId).messages.conversations({ signal }).toArray(MAX_LISTED),
  });

const ICONS: Record<Conversation['channel'], IconName> = {
  api: 'message-square',
  discord: 'messages-square',
  slack: 'hash',
  telegram: 'send',
  schedule: 'calendar-clock',
  trigger: 'zap',
};
export const channelIcon = (channel: Conversation['channel']): IconName => ICONS[channel] ?? 'message-square';

/** Whom it is with, in a word or two. */
export function nameOf({ id, channel, counterparty }: Pick<Conversation, 'id' | 'channel' | 'counterparty'>): string {
  if (counterparty.display_name) return counterparty.display_name;
  if (id === DEFAULT_CONVERSATION) return 'Main conversation';
  return channel === 'api' ? id : `${channel[0]?.toUpperCase()}${channel.slice(1)} ${counterparty.id}`;
}

/** Those of chats, schedules and triggers are answered where they came from: the API takes no message for them. */
export const isWritable = (conversationId: string): boolean =>
  !/^(discord|slack|telegram|schedule|trigger|agent):/.test(conversationId);

/** A name for a new one that says when it began. */
export function newConversationId(now = new Date()): string {
  const date = now.toISOString().slice(0, 16).replace('T', ' ');
  return `${date} ${Math.random().toString(36).slice(2, 6)}`;
}
