import type { AgentVersion } from '@roost-ai/sdk';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { agentQuery } from '../agents/agents.js';
import { Badge, ErrorNote, SameBy, Skeletons } from '../components/feedback.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListKeys } from '../components/use-list-keys.js';
import { visibleText } from '../components/visible-text.js';
import { type NameOf, useNames } from '../names/use-names.js';
import { changedText, useVersions } from './versions.js';

const route = getRouteApi('/app/agents/$agentId/versions');

/** What the agent was configured with, the newest first. */
export function VersionsPage() {
  const { agentId } = route.useParams();
  const { data: agent } = useQuery(agentQuery(agentId));
  const versions = useVersions(agentId, agent?.version);
  const nameOf = useNames();
  const list = useRef<HTMLOListElement>(null);
  useListKeys(list);
  const { items, error, reload } = versions;
  return (
    <AgentPage
      title="Versions"
      about="Every change of what is configured makes one, and none is ever changed: see what differs, and go back to it. Drafts are made in the configuration, and tried before the agent gets them."
    >
      {error !== null && !items && <ErrorNote error={error} title="The versions cannot be listed" onRetry={reload} />}
      {!items && !error && <Skeletons count={6} className="h-[4.25rem]" />}
      {items && (
        <ol ref={list} aria-label="Versions" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {items.map((version) => (
            <VersionRow key={version.version} agentId={agentId} version={version} nameOf={nameOf} />
          ))}
        </ol>
      )}
      <ShowMore list={versions} />
      {items?.length === 1 && (
        <div className="mx-auto max-w-xl pt-6">
          <p className="text-center text-soft">Another one comes with the first change.</p>
          <SameBy
            means="SDK"
            code={`await roost.agent('${agentId}').update({ system_prompt: 'Be brief.', note: 'answers were long' });`}
          />
          <SameBy means="CLI" code={`roost agents versions "${agent?.name ?? agentId}"`} />
        </div>
      )}
    </AgentPage>
  );
}

interface VersionRowProps {
  agentId: string;
  version: AgentVersion;
  nameOf: NameOf;
}

function VersionRow({ agentId, version: it, nameOf }: VersionRowProps) {
  return (
    <li className="relative flex items-center gap-4 px-5 py-3 first:rounded-t-2xl last:rounded-b-2xl hover:bg-canvas has-focus-visible:bg-canvas">
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-center gap-x-2.5">
          <Link
            to="/agents/$agentId/versions/$version"
            params={{ agentId, version: String(it.version) }}
            data-row
            className="font-medium after:absolute after:inset-0"
          >
            Version {it.version}
          </Link>
          {it.is_current && <Badge tone="ok">Present</Badge>}
          {it.is_draft && <Badge tone="warn">Draft</Badge>}
          {it.note && <span className="min-w-0 truncate text-sm">{visibleText(it.note)}</span>}
        </p>
        <p className="truncate text-sm text-soft">{visibleText(changedText(it))}</p>
      </div>
      <p className="text-right text-sm text-soft">
        <Time at={it.created_at} className="relative" />
        {it.created_by && (
          <span className="block text-xs text-faint">
            {visibleText(nameOf(it.created_by.id) ?? it.created_by.type.replace('_', ' '))}
          </span>
        )}
      </p>
    </li>
  );
}
