import type { Approval } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { Segmented } from '../components/segmented.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListing } from '../components/use-listing.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { approvalsKey } from './approvals.js';
import { ApprovalBadge, callText } from './approval-words.js';

const route = getRouteApi('/app/approvals');
const VIEWS = [
  { value: 'pending', label: 'Waiting' },
  { value: 'all', label: 'All' },
] as const;
const LOOK_AGAIN_MS = 10_000;

/** What agents may not do before somebody has looked at it. */
export function ApprovalsPage() {
  const { view = 'pending' } = route.useSearch();
  const navigate = route.useNavigate();
  const query = view === 'pending' ? { status: 'pending' as const } : {};
  const approvals = useListing({
    key: [...approvalsKey, 'list', view],
    list: (signal) => roost.approvals.list(query, { signal }),
    refetchMs: () => LOOK_AGAIN_MS,
  });
  const names = new Map((useQuery(agentsQuery).data ?? []).map(({ id, name }) => [id, name]));
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  const { items, error, reload } = approvals;
  return (
    <Page
      title="Approvals"
      about="Calls of tools that an agent’s permissions let wait for a person, and questions. Its other conversations go on meanwhile."
      actions={
        <Segmented
          label="Which approvals"
          options={VIEWS}
          value={view}
          onChange={(next) => void navigate({ search: next === 'pending' ? {} : { view: next } })}
        />
      }
    >
      {error !== null && !items && <ErrorNote error={error} title="The approvals cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={4} className="h-[4.5rem]" />}
      {items && items.length > 0 && (
        <ul
          ref={list}
          aria-label="Approvals"
          className="divide-y divide-line rounded-2xl border border-line bg-surface"
        >
          {items.map((approval) => (
            <Row key={approval.id} approval={approval} agent={names.get(approval.agent_id)} />
          ))}
        </ul>
      )}
      <ShowMore list={approvals} />
      {items?.length === 0 && <NothingWaits />}
    </Page>
  );
}

function Row({ approval, agent }: { approval: Approval; agent: string | undefined }) {
  return (
    <li className="relative flex items-center gap-4 px-5 py-3 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas has-focus-visible:bg-canvas">
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-center gap-x-2.5">
          <Link
            to="/approvals/$approvalId"
            params={{ approvalId: approval.id }}
            data-row
            className="font-medium wrap-anywhere after:absolute after:inset-0"
          >
            {visibleText(approval.tool)}
          </Link>
          <ApprovalBadge status={approval.status} />
          <span className="text-sm text-soft">{visibleText(agent ?? approval.agent_id)}</span>
        </p>
        <p className="truncate font-mono text-xs text-soft">{callText(approval)}</p>
      </div>
      <p className="text-right text-sm text-soft">
        <Time at={approval.created_at} className="relative" />
        {approval.status === 'pending' && (
          <span className="block text-xs text-faint">
            expires <Time at={approval.expires_at} className="relative" />
          </span>
        )}
      </p>
    </li>
  );
}

const NothingWaits = () => (
  <Empty
    icon="inbox"
    title="Nothing waits for you"
    code={`for await (const approval of roost.approvals.list({ status: 'pending' }))\n  await roost.approvals.decide(approval.id, { decision: 'allow_once' });`}
    cli="roost approvals list"
  >
    Give an agent permissions that ask, in its configuration: then it waits here, and in its chats, before it does what
    you want to see first.
  </Empty>
);
