import type { RunDetails } from '@roost-ai/sdk';
import { Link } from '@tanstack/react-router';
import { DEFAULT_CONVERSATION } from '../chat/conversations.js';
import { CodeLine } from '../components/code.js';
import { Facts } from '../components/facts.js';
import { Prose } from '../components/markdown.js';
import { exactTime, Time } from '../components/time.js';
import { visibleText } from '../components/visible-text.js';
import { Reason } from './step-detail.js';

/** What the run is about: what came in, what was answered, and why not. */
export function RunOverview({ agentId, run }: { agentId: string; run: RunDetails }) {
  const { messages, replies, error } = run;
  return (
    <div className="space-y-6">
      {error && <Reason code={error.code} message={error.message} />}
      <Texts
        agentId={agentId}
        title={messages.length === 1 ? 'The message' : `The ${messages.length} messages`}
        messages={messages}
      />
      {replies.length > 0 && <Texts agentId={agentId} title="The answer" messages={replies} isProse />}
      {replies.length === 0 && !error && <p className="text-sm text-soft">Nothing was answered yet.</p>}
      <Facts
        facts={{
          Began: exactTime(run.started_at),
          Ended: run.ended_at && exactTime(run.ended_at),
          Attempts: run.attempt_count,
          'Version of the agent': run.configuration_version && (
            <Link
              to="/agents/$agentId/versions/$version"
              params={{ agentId, version: String(run.configuration_version) }}
              className="text-accent underline underline-offset-2"
            >
              {run.configuration_version}
            </Link>
          ),
          'From the cache': part(run.usage.cached_input_tokens, 'tokens read'),
          Reasoning: part(run.usage.reasoning_tokens, 'tokens written'),
        }}
      />
      <CodeLine label="Id of the run" code={run.id} />
    </div>
  );
}

type Shown = Pick<RunDetails['messages'][number], 'id' | 'content' | 'conversation_id' | 'created_at'>;

function Texts({
  agentId,
  title,
  messages,
  isProse = false,
}: {
  agentId: string;
  title: string;
  messages: Shown[];
  isProse?: boolean;
}) {
  return (
    <section className="space-y-2">
      <h3 className="font-semibold">{title}</h3>
      {messages.map(({ id, content, conversation_id: conversation, created_at: at }) => (
        <article key={id} className="rounded-xl border border-line bg-surface px-4 py-3">
          <div className="max-h-96 overflow-y-auto">
            {isProse ? (
              <Prose text={content} />
            ) : (
              <p dir="auto" className="wrap-anywhere whitespace-pre-wrap">
                {visibleText(content)}
              </p>
            )}
          </div>
          <p className="flex flex-wrap items-baseline gap-x-3 pt-2 text-xs text-faint">
            <Time at={at} />
            <Link
              to="/agents/$agentId/chat"
              params={{ agentId }}
              search={{ ...(conversation === DEFAULT_CONVERSATION ? {} : { conversation }), message: id }}
              className="text-accent underline underline-offset-2"
            >
              Show it in the chat
            </Link>
          </p>
        </article>
      ))}
    </section>
  );
}

const part = (count: number, of: string) => (count > 0 ? `${count.toLocaleString()} of the ${of}` : undefined);
