import type { Schedule } from '@roost-ai/sdk';
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

/** An account may have some hundreds of them; those of one agent are shown at once. */
const MAX_LISTED = 500;

export const schedulesKey = (agentId: string) => [...agentKey(agentId), 'schedules'] as const;
export const scheduleKey = (agentId: string, scheduleId: string) => [...schedulesKey(agentId), scheduleId] as const;

export const schedulesQuery = (agentId: string) =>
  queryOptions({
    queryKey: schedulesKey(agentId),
    queryFn: ({ signal }) => roost.agent(agentId).schedules.list({ signal }).toArray(MAX_LISTED),
    refetchInterval: 30_000,
  });

export const scheduleQuery = (agentId: string, scheduleId: string) =>
  queryOptions({
    queryKey: scheduleKey(agentId, scheduleId),
    queryFn: ({ signal }) => roost.agent(agentId).schedules.get(scheduleId, { signal }),
    refetchInterval: 30_000,
  });

/** What was shown stays until the next is known, so that nothing moves while somebody types. */
export const nextRunsQuery = (agentId: string, cron: string, timezone: string) =>
  queryOptions({
    queryKey: [...agentKey(agentId), 'next-runs', cron, timezone],
    queryFn: ({ signal }) =>
      roost.agent(agentId).schedules.nextRuns({ cron_expression: cron, timezone, limit: 5 }, { signal }),
    enabled: cron.trim() !== '' && timezone !== '',
    placeholderData: keepPreviousData,
  });

/** `0 9 * * 1-5` in words; undefined for what nobody can read. The words are loaded with the first of them. */
export const cronWordsQuery = (cron: string) =>
  queryOptions({
    queryKey: ['cron-words', cron],
    queryFn: async () => (await import('./cron-words.js')).cronWords(cron) ?? null,
    staleTime: Infinity,
  });

type Change =
  | { kind: 'enable'; schedule: Schedule; enabled: boolean }
  | { kind: 'run'; schedule: Schedule }
  | { kind: 'delete'; schedule: Schedule };

/** What is done with a schedule from a list or its own page. */
export function useScheduleAction(agentId: string) {
  const client = useQueryClient();
  const { schedules } = roost.agent(agentId);
  return useMutation({
    mutationFn: async (change: Change): Promise<unknown> => {
      const { id } = change.schedule;
      if (change.kind === 'enable') return schedules.setEnabled(id, change.enabled);
      return change.kind === 'run' ? schedules.run(id) : schedules.delete(id);
    },
    onMutate: (change) => {
      if (change.kind !== 'enable') return;
      const set = (one: Schedule) => (one.id === change.schedule.id ? { ...one, enabled: change.enabled } : one);
      client.setQueryData(schedulesQuery(agentId).queryKey, (all) => all?.map(set));
      client.setQueryData(scheduleQuery(agentId, change.schedule.id).queryKey, (one) => one && set(one));
    },
    onSuccess: (_, change) => toast(saidOf(change)),
    onError: toastError,
    // Of one that is deleted there is nothing to ask for.
    onSettled: (_data, _error, { kind }) =>
      client.invalidateQueries({ queryKey: schedulesKey(agentId), exact: kind === 'delete' }),
  });
}

function saidOf(change: Change): string {
  const { name } = change.schedule;
  if (change.kind === 'run') return `${name} was fired.`;
  if (change.kind === 'delete') return `${name} is deleted.`;
  return change.enabled ? `${name} fires again.` : `${name} is paused.`;
}
