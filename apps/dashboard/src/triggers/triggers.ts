import type { Trigger } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

/** Those of one agent are shown at once. */
const MAX_LISTED = 500;

export const triggersKey = (agentId: string) => [...agentKey(agentId), 'triggers'] as const;
export const triggerKey = (agentId: string, triggerId: string) => [...triggersKey(agentId), triggerId] as const;

export const triggersQuery = (agentId: string) =>
  queryOptions({
    queryKey: triggersKey(agentId),
    queryFn: ({ signal }) => roost.agent(agentId).triggers.list({ signal }).toArray(MAX_LISTED),
    refetchInterval: 30_000,
  });

export const triggerQuery = (agentId: string, triggerId: string) =>
  queryOptions({
    queryKey: triggerKey(agentId, triggerId),
    queryFn: ({ signal }) => roost.agent(agentId).triggers.get(triggerId, { signal }),
  });

/** Switches a trigger on or off; shown at once, and taken back if it is refused. */
export function useTriggerToggle(agentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ trigger, enabled }: { trigger: Trigger; enabled: boolean }) =>
      roost.agent(agentId).triggers.update(trigger.id, { enabled }),
    onMutate: ({ trigger, enabled }) => {
      const set = (one: Trigger) => (one.id === trigger.id ? { ...one, enabled } : one);
      client.setQueryData(triggersQuery(agentId).queryKey, (all) => all?.map(set));
      client.setQueryData(triggerQuery(agentId, trigger.id).queryKey, (one) => one && set(one));
    },
    onSuccess: (_, { trigger, enabled }) =>
      toast(`${trigger.name} ${enabled ? 'takes requests again' : 'is disabled'}.`),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: triggersKey(agentId) }),
  });
}
