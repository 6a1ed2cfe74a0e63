import type { Conversation } from '@roost-ai/sdk';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import type { IconName } from '../components/icon-name.js';
import { schedulesQuery } from '../schedules/schedules.js';
import { triggersQuery } from '../triggers/triggers.js';
import { begunText } from './begun-conversation.js';

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

type Named = Pick<Conversation, 'id' | 'channel' | 'counterparty'>;
export type ConversationName = (conversation: Named) => string;

/** Whom conversations are with, in a word or two; those of schedules and triggers have the names of these. */
export function useConversationNames(agentId: string, conversations: readonly Named[]): ConversationName {
  const isThere = (channel: Conversation['channel']) => conversations.some((each) => each.channel === channel);
  const schedules = useQuery({ ...schedulesQuery(agentId), enabled: isThere('schedule') }).data;
  const triggers = useQuery({ ...triggersQuery(agentId), enabled: isThere('trigger') }).data;
  return useMemo(() => {
    const names = new Map([...(schedules ?? []), ...(triggers ?? [])].map(({ id, name }) => [id, name]));
    return (conversation) => names.get(conversation.id.replace(/^(schedule|trigger):/, '')) ?? nameOf(conversation);
  }, [schedules, triggers]);
}

function nameOf({ id, channel, counterparty }: Named): string {
  if (counterparty.display_name) return counterparty.display_name;
  if (id === DEFAULT_CONVERSATION) return 'Main conversation';
  return channel === 'api'
    ? (begunText(id) ?? id)
    : `${channel[0]?.toUpperCase()}${channel.slice(1)} ${counterparty.id}`;
}

/** Those of chats, schedules and triggers are answered where they came from: the API takes no message for them. */
export const isWritable = (conversationId: string): boolean =>
  !/^(discord|slack|telegram|schedule|trigger|agent):/.test(conversationId);
