import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { toast } from '../components/toasts.js';
import { versionsKey } from '../versions/versions.js';
import type { Settings } from './settings.js';

/** Fields that belong to the agent and to none of its drafts, by their labels. */
const OF_THE_AGENT: Record<string, string> = {
  name: 'name',
  pvc_size: 'size of the volume',
  output_token_balance: 'balance',
  provider_keys: 'keys of providers',
};

/** Why a change cannot be tried as a draft, where that is so. */
export function notInDrafts(change: Settings): string | undefined {
  const named = Object.keys(change).flatMap((field) => OF_THE_AGENT[field] ?? []);
  if (named.length === 0) return undefined;
  return `A draft cannot change these, save them instead: ${named.join(', ')}.`;
}

/** Makes a version of a change that the agent does not get, and shows it: there it is tried and published. */
export function useDrafting(agentId: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ change, note }: { change: Settings; note: string }) =>
      roost.agent(agentId).versions.draft({ ...change, ...(note.trim() && { note: note.trim() }) }),
    onSuccess: ({ version }) => {
      void client.invalidateQueries({ queryKey: versionsKey(agentId) });
      toast(`It is kept as draft ${version}. The agent works as before.`);
      // Within the mutation: what was edited counts as saved.
      return navigate({ to: '/agents/$agentId/versions/$version', params: { agentId, version: String(version) } });
    },
  });
}
