import type { AgentDetails, Conversation } from '@roost-ai/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { channelIcon, conversationsQuery, DEFAULT_CONVERSATION, useConversationNames } from '../chat/conversations.js';
import { Button } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';

/** Of which session: one conversation's, or all. */
type Asked = Conversation | 'all';

/** The agent's conversations, each of which can begin afresh. */
export function SessionList({ agent: { id: agentId, session_mode: mode } }: { agent: AgentDetails }) {
  const { data: conversations, error, refetch } = useQuery(conversationsQuery(agentId));
  const nameOf = useConversationNames(agentId, conversations ?? []);
  const [asked, setAsked] = useState<Asked>();
  const reset = useMutation({
    mutationFn: (of: Asked) => roost.agent(agentId).messages.resetSession(of === 'all' ? undefined : of.id),
    onSuccess: ({ sessions_ended: count }) =>
      toast(count === 0 ? 'No session was open.' : `${count === 1 ? '1 session is' : `${count} sessions are`} ended.`),
    onError: toastError,
    onSettled: () => setAsked(undefined),
  });
  return (
    <Section
      title="Sessions"
      about={
        <>
          {mode === 'persistent'
            ? 'Each conversation is one session: the model sees all of it, older parts as a summary.'
            : 'Each message begins anew, with the last messages of its conversation.'}{' '}
          <Link to="/agents/$agentId/configuration" params={{ agentId }} className="text-accent underline">
            Change that
          </Link>
        </>
      }
      actions={
        conversations &&
        conversations.length > 0 && (
          <Button icon="rotate-ccw" onClick={() => setAsked('all')}>
            Begin all afresh
          </Button>
        )
      }
    >
      {error && !conversations && (
        <ErrorNote error={error} title="The conversations cannot be listed" onRetry={() => void refetch()} />
      )}
      {!conversations && !error && <Skeletons count={3} className="h-12" />}
      {conversations?.length === 0 && (
        <div>
          <p className="text-soft">Nobody has talked to it yet.</p>
          <SameBy means="SDK" code={`await roost.agent('${agentId}').messages.resetSession('default');`} />
        </div>
      )}
      {conversations && conversations.length > 0 && (
        <ul aria-label="Sessions" className="max-h-96 divide-y divide-line overflow-y-auto">
          {conversations.map((conversation) => (
            <li key={conversation.id} className="flex items-center gap-x-3 py-2">
              <Icon name={channelIcon(conversation.channel)} className="text-faint" />
              <div className="min-w-0 grow gap-x-3 sm:flex sm:items-center">
                <Link
                  to="/agents/$agentId/chat"
                  params={{ agentId }}
                  search={conversation.id === DEFAULT_CONVERSATION ? {} : { conversation: conversation.id }}
                  className="block min-w-0 grow truncate font-medium hover:underline"
                >
                  {visibleText(nameOf(conversation))}
                </Link>
                <span className="text-xs text-faint">
                  {conversation.message_count === 1 ? '1 message' : `${conversation.message_count} messages`} ·{' '}
                  <Time at={conversation.updated_at} />
                </span>
              </div>
              <Button onClick={() => setAsked(conversation)} aria-label={`Begin afresh: ${nameOf(conversation)}`}>
                Begin afresh
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() => asked && reset.mutate(asked)}
        title={asked === 'all' ? 'Begin all conversations afresh?' : `Begin ${asked ? nameOf(asked) : ''} afresh?`}
        action="Begin afresh"
        isBusy={reset.isPending}
      >
        The model does not see any more what was said before, with the next message. Messages, files and memory stay.
      </Confirm>
    </Section>
  );
}
