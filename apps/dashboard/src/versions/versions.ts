import type { AgentVersion } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';

export const versionsKey = (agentId: string) => ['agent', agentId, 'versions'] as const;

export const diffQuery = (agentId: string, from: number, to: number) =>
  queryOptions({
    queryKey: [...versionsKey(agentId), 'diff', from, to],
    queryFn: ({ signal }) => roost.agent(agentId).versions.diff(from, to, { signal }),
    // No version is ever changed.
    staleTime: Infinity,
  });

/** What differs in a version, in a line. */
export function changedText({ version, changed }: AgentVersion): string {
  if (version === 1) return 'What it was made with';
  if (changed.length === 0) return 'Nothing differs from the version before';
  const [shown, more] = [changed.slice(0, 4), changed.length - 4];
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Of an address: versions are counted from 1. */
export function versionNumber(value: unknown): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
