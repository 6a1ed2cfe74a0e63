import type { AgentVersion } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { useListing } from '../components/use-listing.js';

export const versionsKey = (agentId: string) => ['agent', agentId, 'versions'] as const;

/** The newest first. `present`: number of what the agent has, as a change of that makes another one. */
export const useVersions = (agentId: string, present: number | undefined) =>
  useListing({
    key: [...versionsKey(agentId), 'list', present],
    list: (signal) => roost.agent(agentId).versions.list({ signal }),
  });

export const versionQuery = (agentId: string, version: number) =>
  queryOptions({
    queryKey: [...versionsKey(agentId), version],
    queryFn: ({ signal }) => roost.agent(agentId).versions.get(version, { signal }),
  });

/** Of two versions, by default of one with that before it, drafts left out. */
export const diffQuery = (agentId: string, from: number | undefined, to: number) =>
  queryOptions({
    queryKey: [...versionsKey(agentId), 'diff', from ?? 'before', to],
    queryFn: ({ signal }) =>
      roost.agent(agentId).versions.compare(from === undefined ? { to } : { from, to }, { signal }),
    // No version is ever changed.
    staleTime: Infinity,
  });

/** What differs in a version, in a line. */
export function changedText({ version, changed, is_draft: isDraft }: AgentVersion): string {
  if (version === 1) return 'What it was made with';
  if (changed.length === 0) return `Nothing differs from the version ${isDraft ? 'of then' : 'before'}`;
  const [shown, more] = [changed.slice(0, 4), changed.length - 4];
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
