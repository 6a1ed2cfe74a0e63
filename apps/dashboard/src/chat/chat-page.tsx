import { ConflictError } from '@roost-ai/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { agentQuery, useAgentAction } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { ChatApprovals } from '../approvals/chat-approvals.js';
import { Button, IconButton } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { useTitle } from '../components/page.js';
import { visibleText } from '../components/visible-text.js';
import { chatOf, runningTurn } from '../events/agent-views.js';
import { useAgentState, useAgentStore, useConnection } from '../events/agent-events.js';
import { AnsweringVersion } from './answering-version.js';
import { newConversationId } from './begun-conversation.js';
import { chatRows } from './chat-rows.js';
import { withFiles } from './attached-files.js';
import { Composer, type Outgoing } from './composer.js';
import { ConversationList, withCurrent } from './conversation-list.js';
import { conversationsQuery, DEFAULT_CONVERSATION, isWritable, useConversationNames } from './conversations.js';
import { MessageList } from './message-list.js';
import { useHistory } from './use-history.js';

const route = getRouteApi('/app/agents/$agentId/chat');

export function ChatPage() {
  const { agentId } = route.useParams();
  const { conversation = DEFAULT_CONVERSATION, message, version } = route.useSearch();
  const navigate = route.useNavigate();
  const conversations = useQuery(conversationsQuery(agentId)).data ?? [];
  const go = (id: string) => void navigate({ search: id === DEFAULT_CONVERSATION ? {} : { conversation: id } });
  const begin = () => go(newConversationId());
  const nameOf = useConversationNames(agentId, conversations);
  return (
    <div className="flex h-full">
      <div className="hidden w-72 shrink-0 border-r border-line xl:block 3xl:w-96">
        <ConversationList {...{ agentId, conversations, nameOf }} current={conversation} onNew={begin} />
      </div>
      <div className="flex min-w-0 grow flex-col">
        <div className="flex shrink-0 gap-2 border-b border-line px-4 py-2 sm:px-6 xl:hidden">
          <label className="min-w-0 grow">
            <span className="sr-only">Conversation</span>
            <select value={conversation} onChange={(event) => go(event.target.value)} className={inputClass}>
              {withCurrent(conversations, conversation).map((each) => (
                <option key={each.id} value={each.id}>
                  {visibleText(nameOf(each))}
                </option>
              ))}
            </select>
          </label>
          <IconButton icon="plus" label="New conversation" kind="plain" onClick={begin} />
        </div>
        <ConversationView
          key={conversation}
          agentId={agentId}
          conversationId={conversation}
          wanted={message}
          version={version}
        >
          <AnsweringVersion
            agentId={agentId}
            conversationId={conversation}
            conversation={conversations.find(({ id }) => id === conversation)}
            tried={version}
            onStopTrying={() => go(conversation)}
          />
        </ConversationView>
      </div>
    </div>
  );
}

interface ConversationViewProps {
  agentId: string;
  conversationId: string;
  /** Id of a message that is to be shown. */
  wanted: string | undefined;
  /** Of the configuration, that is to answer what is sent. */
  version: number | undefined;
  /** Above where one writes. */
  children: React.ReactNode;
}

function ConversationView({ agentId, conversationId, wanted, version, children }: ConversationViewProps) {
  const { data: agent } = useQuery(agentQuery(agentId));
  const state = useAgentState();
  const store = useAgentStore();
  const entries = useMemo(() => chatOf(state, conversationId), [state, conversationId]);
  const rows = useMemo(() => chatRows(entries), [entries]);
  const hasWaiting = entries.some(({ message }) => message.role === 'user' && message.status === 'pending');
  const history = useHistory(agentId, conversationId, hasWaiting);
  const send = useMutation({
    mutationFn: ({ text, files, mode }: Outgoing) =>
      roost.agent(agentId).messages.send({
        content: withFiles(text, files),
        conversation_id: conversationId,
        queue_mode: mode,
        ...(version !== undefined && { version }),
        ...(files.length > 0 && { metadata: { files } }),
      }),
    onSuccess: (accepted) => {
      const rest = { reply_to_id: null, delivered_at: null, read_at: null, error: null, waiting_for: null };
      store.addHistory([{ ...accepted, ...rest }]);
    },
  });
  const stop = useMutation({ mutationFn: () => cancelRunning(agentId) });
  const name = agent?.name ?? 'the agent';
  useTitle(`Chat · ${name}`);
  return (
    <>
      {history.error !== undefined && (
        <div className="mx-auto w-full max-w-3xl px-4 pt-4">
          <ErrorNote error={history.error} title="The conversation cannot be loaded" onRetry={history.reload} />
        </div>
      )}
      <Notices agentId={agentId} />
      {rows.length > 0 ? (
        <MessageList rows={rows} history={history} agentName={name} wanted={wanted} />
      ) : (
        <div className="min-h-0 grow overflow-y-auto">
          {history.isLoaded ? (
            <Empty
              icon="message-square"
              title={`Talk to ${name}`}
              code={`const agent = roost.agent('${agentId}');\nfor await (const text of agent.stream('what can you do?').text()) process.stdout.write(text);`}
              cli={`roost chat ${JSON.stringify(name)}`}
            >
              Write a message below. You see each step while it works, and may interrupt.
            </Empty>
          ) : (
            history.error === undefined && (
              <div className="mx-auto max-w-3xl p-6">
                <Skeletons count={3} className="h-20" />
              </div>
            )
          )}
        </div>
      )}
      <ChatApprovals agentId={agentId} conversationId={conversationId} />
      {children}
      {isWritable(conversationId) ? (
        <Composer
          agentId={agentId}
          agentName={name}
          isAtWork={runningTurn(state) !== undefined}
          isSending={send.isPending}
          error={send.error ?? stop.error}
          onStop={() => stop.mutate()}
          onSend={(message) =>
            send.mutateAsync(message).then(
              () => true,
              () => false,
            )
          }
        />
      ) : (
        <p className="shrink-0 border-t border-line px-4 py-3 text-center text-sm text-soft">
          This conversation is answered where it came from.
        </p>
      )}
    </>
  );
}

async function cancelRunning(agentId: string): Promise<void> {
  const { runs } = roost.agent(agentId);
  for await (const { id } of runs.list({ status: 'running' }))
    await runs.cancel(id).catch((error: unknown) => {
      // It ended meanwhile.
      if (!(error instanceof ConflictError)) throw error;
    });
}

/** Why nothing happens, where that is so, and what to do about it. */
function Notices({ agentId }: { agentId: string }) {
  const { data: agent } = useQuery(agentQuery(agentId));
  const { status, isDeleted } = useAgentState();
  const connection = useConnection();
  const change = useAgentAction();
  if (isDeleted) return <Notice>This agent was deleted.</Notice>;
  if (connection === 'lost')
    return <Notice>No connection to Roost. It is tried again all the time; nothing is lost.</Notice>;
  if (!agent) return null;
  if (agent.status !== 'active') {
    const action = agent.status === 'paused' ? 'resume' : 'start';
    return (
      <Notice
        action={
          <Button
            icon="play"
            isBusy={change.isPending}
            onClick={() => change.mutate({ id: agentId, name: agent.name, action })}
          >
            {action === 'resume' ? 'Resume' : 'Start'}
          </Button>
        }
      >
        {agent.status === 'paused' && 'The agent is paused: messages wait.'}
        {agent.status === 'stopped' && 'The agent is stopped: it takes no messages.'}
        {agent.status === 'error' && `The agent is in error: ${agent.status_reason ?? 'start it to try again'}.`}
      </Notice>
    );
  }
  if (status?.isExhausted)
    return <Notice>The agent has no output tokens left: raise its balance in its configuration.</Notice>;
  return null;
}

function Notice({ children, action }: { children: React.ReactNode; action?: React.ReactNode }) {
  return (
    <div
      role="status"
      className="flex shrink-0 flex-wrap items-center gap-3 bg-warn-soft px-4 py-2 text-sm text-warn sm:px-6"
    >
      <Icon name="triangle-alert" />
      <span className="grow">{children}</span>
      {action}
    </div>
  );
}
