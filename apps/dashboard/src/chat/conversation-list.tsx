import type { Conversation } from '@roost-ai/sdk';
import { Link } from '@tanstack/react-router';
import { Button } from '../components/button.js';
import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { channelIcon, type ConversationName, DEFAULT_CONVERSATION } from './conversations.js';

interface ConversationListProps {
  agentId: string;
  conversations: Conversation[];
  current: string;
  nameOf: ConversationName;
  onNew: () => void;
}

/** With whom the agent talks, the newest activity first. */
export function ConversationList({ agentId, conversations, current, nameOf, onNew }: ConversationListProps) {
  return (
    <nav aria-label="Conversations" className="flex h-full flex-col gap-2 p-3">
      <Button icon="plus" onClick={onNew}>
        New conversation
      </Button>
      <ul className="min-h-0 grow space-y-0.5 overflow-y-auto">
        {withCurrent(conversations, current).map((conversation) => {
          const { id, channel, last_message: last, unread_count: unread, pinned_version: pinned } = conversation;
          return (
            <li key={id}>
              <Link
                to="/agents/$agentId/chat"
                params={{ agentId }}
                search={id === DEFAULT_CONVERSATION ? {} : { conversation: id }}
                // Else the main one, whose address is a part of all others', is marked with each of them.
                activeOptions={{ exact: true }}
                aria-current={id === current ? 'page' : undefined}
                className="block rounded-lg px-2.5 py-2 text-sm hover:bg-sunken aria-[current=page]:bg-accent-soft"
              >
                <span className="flex items-center gap-2">
                  <Icon name={channelIcon(channel)} className="text-faint" />
                  <span className="min-w-0 grow truncate font-medium">{visibleText(nameOf(conversation))}</span>
                  {pinned && <Badge title={`Pinned to version ${pinned}`}>v{pinned}</Badge>}
                  {unread > 0 && id !== current && <Badge tone="accent">{unread}</Badge>}
                </span>
                <span className="flex items-baseline gap-2 pt-0.5 pl-6 text-xs text-faint">
                  <span className="min-w-0 grow truncate">{last?.content ?? 'Nothing yet'}</span>
                  {last && <Time at={last.created_at} />}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** One that has no message yet is not known to Roost. */
export function withCurrent(conversations: Conversation[], current: string): Conversation[] {
  if (conversations.some(({ id }) => id === current)) return conversations;
  const now = new Date().toISOString();
  const fresh: Conversation = {
    ...{ id: current, channel: 'api', counterparty: { id: current, display_name: null } },
    ...{ message_count: 0, unread_count: 0, last_message: null, created_at: now, updated_at: now },
  };
  return [fresh, ...conversations];
}
