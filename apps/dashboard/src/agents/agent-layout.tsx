import { NotFoundError } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, Outlet, useNavigate } from '@tanstack/react-router';
import { buttonClass } from '../components/button.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { useCurrentShown } from '../components/use-current-shown.js';
import { AgentEventsProvider } from '../events/agent-events.js';
import { AgentMenu } from './agent-menu.js';
import { StatusBadge } from './agent-status.js';
import { AGENT_TABS } from './agent-tabs.js';
import { agentQuery } from './agents.js';

const route = getRouteApi('/app/agents/$agentId');

/** What stands above every screen of one agent; its events are followed for as long as one of them is open. */
export function AgentLayout() {
  const { agentId } = route.useParams();
  const navigate = useNavigate();
  const tabs = useCurrentShown();
  const { data: agent, error, refetch } = useQuery(agentQuery(agentId));
  if (error && !agent)
    return error instanceof NotFoundError ? (
      <Gone />
    ) : (
      <div className="mx-auto max-w-2xl p-8">
        <ErrorNote error={error} title="This agent cannot be shown" onRetry={() => void refetch()} />
      </div>
    );
  return (
    <div className="flex h-full flex-col">
      <header className="shrink-0 border-b border-line bg-surface px-4 pt-3 sm:px-6">
        <div className="flex items-center gap-3">
          {agent ? (
            <>
              <h1 className="truncate text-lg font-semibold tracking-tight">{agent.name}</h1>
              <StatusBadge status={agent.status} reason={agent.status_reason} />
              <span className="grow" />
              <AgentMenu agent={agent} onDeleted={() => void navigate({ to: '/agents' })} />
            </>
          ) : (
            <>
              <h1 className="sr-only">Agent</h1>
              <div className="skeleton my-1 h-7 w-48" />
            </>
          )}
        </div>
        <nav ref={tabs} aria-label="Agent" className="-mb-px flex gap-1 overflow-x-auto">
          {AGENT_TABS.map(({ to, label, icon }) => (
            <Link
              key={to}
              to={to}
              params={{ agentId }}
              className="flex min-h-10 items-center gap-2 border-b-2 border-transparent px-2.5 text-sm text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-ink"
            >
              <Icon name={icon} className="hidden sm:block" />
              {label}
            </Link>
          ))}
        </nav>
      </header>
      <div className="relative min-h-0 grow scroll-pb-20 overflow-y-auto">
        {agent ? (
          <AgentEventsProvider key={agentId} agentId={agentId}>
            <Outlet />
          </AgentEventsProvider>
        ) : (
          <div className="mx-auto max-w-3xl p-8">
            <Skeletons count={3} />
          </div>
        )}
      </div>
    </div>
  );
}

function Gone() {
  return (
    <>
      <h1 className="sr-only">No such agent</h1>
      <Empty
        icon="bot"
        title="There is no such agent"
        action={
          <Link to="/agents" className={buttonClass('primary')}>
            To the agents
          </Link>
        }
      >
        It was deleted, or belongs to another account.
      </Empty>
    </>
  );
}
