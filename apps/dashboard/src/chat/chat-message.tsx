import type { Message } from '@roost-ai/sdk';
import { getRouteApi, Link } from '@tanstack/react-router';
import { memo } from 'react';
import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Prose } from '../components/markdown.js';
import { Time } from '../components/time.js';
import type { Turn, TurnPart } from '../events/agent-state.js';
import { AttachedFiles } from './attachment-list.js';
import { partsOf } from './attached-files.js';
import { type ChatRow, saysAll } from './chat-rows.js';
import { ToolCard } from './tool-card.js';

const agentRoute = getRouteApi('/app/agents/$agentId');

/** Made once while one scrolls past it. */
export const ChatMessage = memo(function ChatMessage({ row, agentName }: { row: ChatRow; agentName: string }) {
  if (row.kind === 'user') return <UserMessage message={row.message} />;
  const { turn, reply } = row;
  return (
    <article aria-label={`${agentName}${reply ? '' : ', at work'}`} className="flex gap-3">
      <span
        aria-hidden="true"
        className="mt-0.5 hidden size-7 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent sm:flex"
      >
        <Icon name="bot" />
      </span>
      <div className="min-w-0 grow space-y-2.5">
        {reply ? <Reply turn={turn} reply={reply} /> : turn && <TurnWork turn={turn} />}
        {reply && (
          <p className="text-xs text-faint">
            <Time at={reply.created_at} />
            {reply.error && <span className="text-bad"> · not shown there: {reply.error.message}</span>}
          </p>
        )}
      </div>
    </article>
  );
});

function UserMessage({ message }: { message: Message }) {
  const { agentId } = agentRoute.useParams();
  const { text, files } = partsOf(message);
  const isOfPerson = message.channel !== 'schedule' && message.channel !== 'trigger';
  return (
    <article
      aria-label={isOfPerson ? 'Message' : `Message of a ${message.channel}`}
      className="flex flex-col items-end gap-1"
    >
      {text !== '' && (
        <div className="max-w-[min(46rem,92%)] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5">
          <p dir="auto" className="wrap-anywhere whitespace-pre-wrap">
            {text}
          </p>
        </div>
      )}
      <AttachedFiles agentId={agentId} files={files} />
      <p className="flex flex-wrap items-center justify-end gap-2 text-xs text-faint">
        <Waiting message={message} />
        {message.status !== 'pending' && <RunLink messageId={message.id} />}
        {message.error && (
          <Badge tone="bad">{message.error.code === 'INTERRUPTED' ? 'Interrupted' : 'Not answered'}</Badge>
        )}
        <Time at={message.created_at} />
      </p>
    </article>
  );
}

/** What the agent did about a message, step by step. */
function RunLink({ messageId }: { messageId: string }) {
  const { agentId } = agentRoute.useParams();
  return (
    <Link
      to="/agents/$agentId/messages/$messageId/run"
      params={{ agentId, messageId }}
      className="underline underline-offset-2 hover:text-ink"
    >
      Run
    </Link>
  );
}

const REASONS = {
  paused: 'waits: the agent is paused',
  stopped: 'waits: the agent is stopped',
  error: 'waits: the agent is in error',
  balance: 'waits: no output tokens left',
  budget: 'waits: its budget is used up',
  approval: 'waits: somebody has to allow a call',
  retry: 'is tried again',
  turn: 'waits: the agent is at work',
  slot: 'is next',
};

function Waiting({ message: { status, waiting_for: waiting } }: { message: Message }) {
  if (status !== 'pending') return null;
  return (
    <Badge tone={waiting?.reason === 'slot' || !waiting ? 'neutral' : 'warn'}>
      <Icon name="clock" className="size-3" />
      {waiting ? REASONS[waiting.reason] : 'queued'}
      {waiting?.next_attempt_at && (
        <>
          {' '}
          <Time at={waiting.next_attempt_at} />
        </>
      )}
      {waiting?.error && `: ${waiting.error.message}`}
    </Badge>
  );
}

function Reply({ turn, reply }: { turn: Turn | undefined; reply: Message }) {
  if (turn && saysAll(turn, reply)) return <Parts parts={turn.parts} isLive={false} />;
  return (
    <>
      {turn && <Parts parts={turn.parts.filter((part) => part.kind === 'tool')} isLive={false} />}
      <Prose text={reply.content} />
    </>
  );
}

function TurnWork({ turn }: { turn: Turn }) {
  const isLive = turn.status === 'running';
  const last = turn.parts.at(-1);
  const isThinking = isLive && (last === undefined || (last.kind === 'tool' && last.output !== undefined));
  return (
    <>
      <Parts parts={turn.parts} isLive={isLive} />
      {isThinking && (
        <p className="flex items-center gap-2 text-sm text-soft">
          <span className="size-2 animate-pulse rounded-full bg-accent" />
          {turn.attempt > 1 ? `Thinking, try ${turn.attempt}` : 'Thinking'}
        </p>
      )}
      {turn.status === 'suspended' && <p className="text-sm text-soft">Waits until somebody has decided.</p>}
      {turn.status === 'interrupted' && <p className="text-sm text-soft">Interrupted: what it had begun is above.</p>}
      {turn.status === 'failed' && (
        <p role="alert" className="flex gap-2 rounded-xl border border-bad/40 bg-bad-soft px-3 py-2 text-sm">
          <Icon name="circle-alert" className="mt-0.5 text-bad" />
          <span className="wrap-anywhere">
            <span className="font-medium">This could not be answered.</span> {turn.error?.message}
          </span>
        </p>
      )}
    </>
  );
}

function Parts({ parts, isLive }: { parts: TurnPart[]; isLive: boolean }) {
  return parts.map((part, index) =>
    part.kind === 'tool' ? (
      <ToolCard key={part.callId} part={part} isLive={isLive} />
    ) : (
      <Prose key={index} text={part.text} isStreaming={isLive} />
    ),
  );
}
