import type { AgentListItem } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { compactCount, costText } from '../components/amounts.js';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { inputClass } from '../components/field.js';
import { Icon } from '../components/icon.js';
import { Page } from '../components/page.js';
import { Time } from '../components/time.js';
import { useListKeys } from '../components/use-list-keys.js';
import { AgentMenu } from './agent-menu.js';
import { StatusBadge } from './agent-status.js';
import { tokensOf, usageQuery } from '../usage/usage.js';
import { agentsQuery } from './agents.js';
import { TemplateList } from './template-list.js';

const route = getRouteApi('/app/agents');
const STATUSES = ['active', 'paused', 'stopped', 'error'] as const;

export function AgentsPage() {
  const { data: agents, error, refetch } = useQuery(agentsQuery);
  const used = useUsed();
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  const { q = '', status } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = useMemo(() => (agents ?? []).filter((agent) => isMatch(agent, q, status)), [agents, q, status]);
  return (
    <Page
      title="Agents"
      about="Each has its own memory, files and schedule, and works until you stop it."
      actions={
        <Link to="/agents/new" className={buttonClass('primary')}>
          <Icon name="plus" />
          New agent
        </Link>
      }
    >
      {error && !agents && (
        <ErrorNote error={error} title="The agents cannot be listed" onRetry={() => void refetch()} />
      )}
      {!agents && !error && <Skeletons count={5} className="h-[4.5rem]" />}
      {agents?.length === 0 && <FirstAgent />}
      {agents && agents.length > 0 && (
        <>
          <div className="flex flex-wrap gap-2 pb-4">
            <label className="relative min-w-48 grow">
              <span className="sr-only">Search agents</span>
              <Icon name="search" className="absolute top-2.5 left-3 text-faint" />
              <input
                type="search"
                value={q}
                placeholder="Search by name, description or id"
                onChange={(event) => {
                  const search = {
                    ...(event.target.value ? { q: event.target.value } : {}),
                    ...(status ? { status } : {}),
                  };
                  void navigate({ search, replace: true });
                }}
                className={`${inputClass} pl-9`}
              />
            </label>
            <label>
              <span className="sr-only">Status</span>
              <select
                value={status ?? ''}
                onChange={(event) => {
                  const search = { ...(q ? { q } : {}), ...(event.target.value ? { status: event.target.value } : {}) };
                  void navigate({ search, replace: true });
                }}
                className={inputClass}
              >
                <option value="">Every status</option>
                {STATUSES.map((each) => (
                  <option key={each} value={each}>
                    {each[0]?.toUpperCase() + each.slice(1)}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <p role="status" className="sr-only">
            {shown.length} agents
          </p>
          <ul ref={list} className="divide-y divide-line rounded-2xl border border-line bg-surface">
            {shown.map((agent) => (
              <AgentRow key={agent.id} agent={agent} used={used.get(agent.id)} />
            ))}
          </ul>
          {shown.length === 0 && (
            <p className="py-10 text-center text-soft">
              No agent matches. Clear the search to see all {agents.length}.
            </p>
          )}
        </>
      )}
    </Page>
  );
}

/** What each agent has used in the last 30 days, in words; empty until it is known. */
function useUsed(): Map<string | null, string> {
  const { data } = useQuery(usageQuery({}, 'agent'));
  return useMemo(
    () =>
      new Map(
        data?.rows.map((row) => [
          row.agent_id,
          `${compactCount(tokensOf(row))} tokens in 30 days · ${costText(row.cost_usd)}`,
        ]),
      ),
    [data],
  );
}

function AgentRow({ agent, used }: { agent: AgentListItem; used: string | undefined }) {
  const { id, name, description, status, message_count: messages, updated_at: updatedAt } = agent;
  return (
    <li className="relative flex items-center gap-3 py-3 pr-3 pl-4 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas sm:gap-4 sm:pl-5">
      <span
        aria-hidden="true"
        className="flex size-9 shrink-0 items-center justify-center rounded-xl bg-sunken text-soft"
      >
        <Icon name="bot" className="size-5" />
      </span>
      <div className="min-w-0 grow gap-x-4 sm:flex sm:items-center">
        <div className="min-w-0 grow">
          <div className="flex items-center gap-2.5">
            {/* The whole row leads there. */}
            <Link
              to="/agents/$agentId"
              params={{ agentId: id }}
              data-row
              className="truncate font-medium after:absolute after:inset-0"
            >
              {name}
            </Link>
            <StatusBadge status={status} />
          </div>
          <p className="truncate text-sm text-soft">{description || 'No description'}</p>
        </div>
        <dl className="shrink-0 text-xs sm:text-right">
          <dt className="sr-only">Messages</dt>
          <dd className="tabular-nums sm:text-sm">
            {messages === 1 ? '1 message' : `${messages.toLocaleString('en')} messages`}
          </dd>
          <dt className="sr-only">Used in 30 days</dt>
          <dd className="text-faint tabular-nums">{used}</dd>
          <dt className="sr-only">Changed</dt>
          <dd className="text-faint">
            changed <Time at={updatedAt} className="relative" />
          </dd>
        </dl>
      </div>
      <div className="relative">
        <AgentMenu agent={agent} />
      </div>
    </li>
  );
}

function FirstAgent() {
  return (
    <Empty
      icon="bot"
      title="Make your first agent"
      code={`const agent = await roost.agents.create({ name: 'helper' });\nconsole.log((await agent.ask('write hello to notes.txt')).text);`}
      cli={'roost agents create helper\nroost chat helper'}
    >
      <p className="pb-4">An agent is a worker with a name, a task and a folder of its own. Begin with one of these:</p>
      <TemplateList />
    </Empty>
  );
}

function isMatch({ id, name, description, status }: AgentListItem, query: string, wanted: string | undefined): boolean {
  if (wanted && status !== wanted) return false;
  const text = `${name} ${description ?? ''} ${id}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
