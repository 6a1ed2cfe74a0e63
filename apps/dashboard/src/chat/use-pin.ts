import { useMutation, useQueryClient } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { toast } from '../components/toasts.js';
import { conversationsQuery } from './conversations.js';

/** Pins a conversation to a version, or by null to none. Pending until the page shows it. */
export function usePin(agentId: string, conversationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (version: number | null) => roost.agent(agentId).messages.pin(conversationId, version),
    onSuccess: async ({ pinned_version: version }) => {
      await client.invalidateQueries({ queryKey: conversationsQuery(agentId).queryKey });
      toast(version === null ? 'The present version answers again.' : `Version ${version} answers here from now on.`);
    },
  });
}
