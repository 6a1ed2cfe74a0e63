import type { Run } from '@roost-ai/sdk';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { roost } from '../api/roost.js';
import { AgentPage } from '../agents/agent-page.js';
import { channelIcon } from '../chat/conversations.js';
import { compactCount, costText, durationText } from '../components/amounts.js';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListing } from '../components/use-listing.js';
import { useListKeys } from '../components/use-list-keys.js';
import { useNow } from '../components/use-now.js';
import { visibleText } from '../components/visible-text.js';
import {
  isOpen,
  RUN_SOURCES,
  RUN_STATUSES,
  type RunSource,
  type RunStatus,
  sourceLabel,
  STATUS_WORDS,
  tookMs,
} from './run-words.js';
import { RunStatusBadge } from './run-status.js';
import { runsKey } from './runs.js';

const route = getRouteApi('/app/agents/$agentId/runs');

/** What the agent did, the newest first. */
export function RunsPage() {
  const { agentId } = route.useParams();
  const { status, source } = route.useSearch();
  const query = { ...(status ? { status } : {}), ...(source ? { source } : {}) };
  const runs = useListing({
    key: [...runsKey(agentId), 'list', query],
    list: (signal) => roost.agent(agentId).runs.list(query, { signal }),
  });
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  const isFiltered = status !== undefined || source !== undefined;
  const { items, error, reload } = runs;
  return (
    <AgentPage title="Runs" about="What it did for each batch of messages, the newest first.">
      {(isFiltered || (items?.length ?? 1) > 0) && <Filters status={status} source={source} />}
      {error !== null && !items && <ErrorNote error={error} title="The runs cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={8} className="h-[4.25rem]" />}
      {items && items.length > 0 && (
        <ul ref={list} aria-label="Runs" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {items.map((run) => (
            <RunRow key={run.id} agentId={agentId} run={run} />
          ))}
        </ul>
      )}
      <ShowMore list={runs} />
      {items?.length === 0 &&
        (isFiltered ? (
          <p className="py-10 text-center text-soft">
            No run is like that.{' '}
            <Link to="." search={{}} className="text-accent underline">
              Show all
            </Link>
          </p>
        ) : (
          <NoRuns agentId={agentId} />
        ))}
    </AgentPage>
  );
}

function Filters({ status, source }: { status: RunStatus | undefined; source: RunSource | undefined }) {
  const navigate = route.useNavigate();
  const set = (change: { status?: string; source?: string }) => {
    const { status: s, source: o } = { ...{ status: status ?? '', source: source ?? '' }, ...change };
    void navigate({
      search: { ...(s ? { status: s as RunStatus } : {}), ...(o ? { source: o as RunSource } : {}) },
      replace: true,
    });
  };
  return (
    <div className="flex flex-wrap gap-2 pb-4">
      <label className="grow sm:grow-0">
        <span className="sr-only">Status</span>
        <select value={status ?? ''} onChange={({ target }) => set({ status: target.value })} className={inputClass}>
          <option value="">Every status</option>
          {RUN_STATUSES.map((each) => (
            <option key={each} value={each}>
              {STATUS_WORDS[each].label}
            </option>
          ))}
        </select>
      </label>
      <label className="grow sm:grow-0">
        <span className="sr-only">Source</span>
        <select value={source ?? ''} onChange={({ target }) => set({ source: target.value })} className={inputClass}>
          <option value="">Every source</option>
          {RUN_SOURCES.map((each) => (
            <option key={each} value={each}>
              {sourceLabel(each)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function RunRow({ agentId, run }: { agentId: string; run: Run }) {
  const { id, status, source, excerpt, usage, attempt_count: attempts, error } = run;
  const now = useNow(isOpen(status) ? 1_000 : undefined);
  return (
    <li className="relative grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 px-4 py-3 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas has-focus-visible:bg-canvas sm:grid-cols-[6.75rem_1fr_auto] sm:px-5">
      <span className="order-2 justify-self-end sm:order-none sm:justify-self-start">
        <RunStatusBadge status={status} isStopping={run.cancel_requested} />
      </span>
      <div className="min-w-0">
        <Link
          to="/agents/$agentId/runs/$runId"
          params={{ agentId, runId: id }}
          data-row=""
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {excerpt ? visibleText(firstLine(excerpt)) : 'A message that is gone'}
        </Link>
        <p className="truncate text-sm text-soft">
          <Icon name={channelIcon(source)} className="mr-1.5 inline align-[-0.15em] text-faint" />
          {sourceLabel(source)}
          {attempts > 1 && ` · ${attempts} attempts`}
          {error && <span className="text-bad"> · {visibleText(error.message)}</span>}
        </p>
      </div>
      <dl className="order-3 col-span-2 flex flex-wrap gap-x-3 text-xs text-faint tabular-nums sm:order-none sm:col-span-1 sm:block sm:text-right sm:text-sm">
        <dt className="sr-only">Began, and took</dt>
        <dd className="sm:text-soft">
          <Time at={run.started_at} className="relative" /> · {durationText(tookMs(run, now))}
        </dd>
        <dt className="sr-only">Tokens and cost</dt>
        <dd className="sm:text-xs">
          {usage
            ? `${compactCount(usage.input_tokens + usage.output_tokens)} tokens · ${costText(usage.cost_usd)}`
            : 'not counted yet'}
        </dd>
      </dl>
    </li>
  );
}

function NoRuns({ agentId }: { agentId: string }) {
  return (
    <Empty
      icon="activity"
      title="It has not done anything yet"
      code={`for await (const run of roost.agent('${agentId}').runs.list({ status: 'failed' }))\n  console.log(run.id, run.error?.message);`}
      cli={`roost runs ${agentId}\nroost trace ${agentId}`}
      action={
        <Link to="/agents/$agentId/chat" params={{ agentId }} className={buttonClass('primary')}>
          Write a message
        </Link>
      }
    >
      Each batch of messages that it answers is a run: what it thought, called and spent, step by step. It appears here
      when it begins.
    </Empty>
  );
}

const firstLine = (text: string) => text.trimStart().split('\n', 1)[0] ?? '';
