import type { RunDetails } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';
import { isOpen } from './run-words.js';

/** Steps of a run that goes on are written once a second. */
const LOOK_AGAIN_MS = 1_000;

export const runsKey = (agentId: string) => [...agentKey(agentId), 'runs'] as const;

export const runQuery = (agentId: string, runId: string) =>
  queryOptions({
    queryKey: [...runsKey(agentId), runId],
    queryFn: ({ signal }) => roost.agent(agentId).runs.get(runId, { signal }),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data.status) ? LOOK_AGAIN_MS : false),
  });

export function useCancelRun(agentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (runId: string) => roost.agent(agentId).runs.cancel(runId),
    onSuccess: ({ id, status, cancel_requested: cancelRequested }) => {
      client.setQueryData<RunDetails>(
        runQuery(agentId, id).queryKey,
        (run) => run && { ...run, status, cancel_requested: cancelRequested },
      );
      toast(status === 'running' ? 'It stops in a moment.' : 'The run is cancelled.');
    },
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: runsKey(agentId) }),
  });
}
