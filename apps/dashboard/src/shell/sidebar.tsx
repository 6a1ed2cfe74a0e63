import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { agentsQuery } from '../agents/agents.js';
import { StatusDot } from '../agents/agent-status.js';
import { MAX_COUNTED, pendingQuery } from '../approvals/approvals.js';
import { IconButton } from '../components/button.js';
import { Badge } from '../components/feedback.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { sessionQuery, useSignOut } from '../session/session.js';
import { Brand } from './brand.js';
import { isMac } from './keys.js';
import { useNavigation } from './navigation.js';

/** As many as fit without scrolling on a small laptop; the rest is a search away. */
const SHOWN_AGENTS = 8;
const ITEM =
  'flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm text-soft hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent aria-[current=page]:font-medium';

export function Sidebar({ onSearch, onClose }: { onSearch: () => void; onClose?: () => void }) {
  const agents = useQuery(agentsQuery);
  const destinations = useNavigation();
  return (
    <div className="flex h-full flex-col gap-4 p-3">
      <div className="flex items-center justify-between pt-1 pl-1.5">
        <Link to="/agents" aria-label="Roost, to the agents">
          <Brand />
        </Link>
        {onClose && <IconButton icon="x" label="Close the menu" onClick={onClose} />}
      </div>
      <button
        type="button"
        onClick={onSearch}
        className="flex min-h-9 items-center gap-2.5 rounded-lg border border-line bg-canvas px-2.5 text-sm text-faint hover:text-ink"
      >
        <Icon name="search" />
        <span className="grow truncate text-left">Search</span>
        <kbd className="shrink-0 font-sans text-xs whitespace-nowrap">{isMac ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <nav aria-label="Main" className="min-h-0 grow space-y-4 overflow-y-auto">
        <ul className="space-y-0.5">
          {destinations.map(({ to, label, icon }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === '/agents' }} className={ITEM}>
                <Icon name={icon} />
                {label}
                {to === '/approvals' && <WaitingCount />}
              </Link>
            </li>
          ))}
        </ul>
        {agents.data && agents.data.length > 0 && (
          <div>
            <h2 id="recent-agents" className="px-2.5 pb-1 text-xs font-medium text-faint">
              Lately used
            </h2>
            <ul aria-labelledby="recent-agents" className="space-y-0.5">
              {agents.data.slice(0, SHOWN_AGENTS).map(({ id, name, status }) => (
                <li key={id}>
                  <Link to="/agents/$agentId" params={{ agentId: id }} className={ITEM}>
                    <StatusDot status={status} />
                    <span className="truncate">{name}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        )}
      </nav>
      <Account />
    </div>
  );
}

/** How many calls wait for somebody's decision. */
function WaitingCount() {
  const count = useQuery(pendingQuery).data?.length ?? 0;
  if (count === 0) return null;
  return (
    <span className="ml-auto">
      <Badge tone="warn" title="Waiting for a decision">
        {count < MAX_COUNTED ? count : `${MAX_COUNTED}+`}
        <span className="sr-only"> waiting</span>
      </Badge>
    </span>
  );
}

function Account() {
  const { data: user } = useQuery(sessionQuery);
  const signOut = useSignOut();
  return (
    <div className="flex items-center gap-1 border-t border-line pt-3">
      <a href="/docs" className={`${ITEM} grow`}>
        <Icon name="book-open" />
        API reference
      </a>
      <Menu label="Account" items={[{ label: 'Sign out', icon: 'log-out', onSelect: () => signOut.mutate() }]}>
        <button
          type="button"
          aria-label={`Account: ${user?.email ?? 'local'}`}
          title={user?.email ?? 'Signed in with the API key'}
          className="inline-flex size-9 items-center justify-center rounded-lg text-soft hover:bg-sunken hover:text-ink"
        >
          <Icon name="user" />
        </button>
      </Menu>
    </div>
  );
}
