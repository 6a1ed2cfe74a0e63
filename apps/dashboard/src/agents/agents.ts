import type { AgentListItem, AgentStatus } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

/** What is loaded to be searched at once; an account with more finds the rest by their address. */
const MAX_LISTED = 1_000;

export const agentsKey = ['agents'] as const;
export const agentKey = (agentId: string) => ['agent', agentId] as const;

/** All agents, the one that changed last first. */
export const agentsQuery = queryOptions({
  queryKey: agentsKey,
  queryFn: ({ signal }) => roost.agents.list({ sort: 'updated_at', order: 'desc' }, { signal }).toArray(MAX_LISTED),
  refetchInterval: 30_000,
});

export const agentQuery = (agentId: string) =>
  queryOptions({ queryKey: agentKey(agentId), queryFn: ({ signal }) => roost.agent(agentId).get({ signal }) });

/** What can be done about an agent's state. */
export const AGENT_ACTIONS = {
  start: { label: 'Start', icon: 'play', from: ['stopped', 'error'], to: 'active', done: 'started' },
  resume: { label: 'Resume', icon: 'play', from: ['paused'], to: 'active', done: 'resumed' },
  pause: { label: 'Pause', icon: 'pause', from: ['active'], to: 'paused', done: 'paused' },
  stop: { label: 'Stop', icon: 'square', from: ['active', 'paused', 'error'], to: 'stopped', done: 'stopped' },
} as const satisfies Record<
  string,
  { label: string; icon: string; from: AgentStatus[]; to: AgentStatus; done: string }
>;
export type AgentAction = keyof typeof AGENT_ACTIONS;

/** Changes an agent's state; shown at once, and taken back if it is refused. */
export function useAgentAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, action }: { id: string; name: string; action: AgentAction }) => roost.agent(id)[action](),
    onMutate: ({ id, action }) => setStatus(client, id, AGENT_ACTIONS[action].to),
    onSuccess: (_, { name, action }) => toast(`${name} is ${AGENT_ACTIONS[action].done}.`),
    onError: toastError,
    onSettled: (_data, _error, { id }) => {
      void client.invalidateQueries({ queryKey: agentsKey });
      void client.invalidateQueries({ queryKey: agentKey(id) });
    },
  });
}

/** Of an agent that is shown anywhere: what its own page, or its events, say of it. */
export function setStatus(client: ReturnType<typeof useQueryClient>, id: string, status: AgentStatus): void {
  client.setQueryData<AgentListItem[]>(agentsKey, (agents) =>
    agents?.map((agent) => (agent.id === id ? { ...agent, status } : agent)),
  );
  client.setQueryData(agentQuery(id).queryKey, (agent) => agent && { ...agent, status });
}

export function useDeleteAgent() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: { id: string; name: string }) => roost.agent(id).delete(),
    onSuccess: (_, { id, name }) => {
      client.setQueryData<AgentListItem[]>(agentsKey, (agents) => agents?.filter((agent) => agent.id !== id));
      client.removeQueries({ queryKey: agentKey(id) });
      toast(`${name} is deleted.`);
    },
    onError: toastError,
  });
}
