import type { McpServer } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

/** The account's registry is shown at once. */
const MAX_LISTED = 500;

export const serversKey = ['mcp'] as const;
export const serverKey = (serverId: string) => [...serversKey, serverId] as const;

export const serversQuery = queryOptions({
  queryKey: serversKey,
  queryFn: ({ signal }) => roost.mcp.list({ signal }).toArray(MAX_LISTED),
  refetchInterval: 30_000,
});

export const serverQuery = (serverId: string) =>
  queryOptions({ queryKey: serverKey(serverId), queryFn: ({ signal }) => roost.mcp.get(serverId, { signal }) });

/** Asks a server with an address now; of one in workspaces it is what the last turn found. */
export const healthQuery = (serverId: string) =>
  queryOptions({
    queryKey: [...serverKey(serverId), 'health'],
    queryFn: async ({ signal, client }) => {
      const health = await roost.mcp.health(serverId, { signal });
      // What it was found to be is the server's own status from now on.
      void client.invalidateQueries({ queryKey: serverKey(serverId), exact: true });
      void client.invalidateQueries({ queryKey: serversKey, exact: true });
      return health;
    },
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });

/** Which agents may use which of its tools. */
export const accessQuery = (serverId: string) =>
  queryOptions({
    queryKey: [...serverKey(serverId), 'access'],
    queryFn: async ({ signal }) => (await roost.mcp.access(serverId, { signal })).access,
  });

/** `all` tools, some of them by name, or none. */
export type ToolChoice = 'all' | string[] | null;

/** Lets an agent use a server's tools, or no longer. */
export function useAccess(agentId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ server, tools }: { server: Pick<McpServer, 'id' | 'name'>; tools: ToolChoice }) => {
      if (tools === null) await roost.mcp.revoke(server.id, agentId);
      else
        await roost.mcp.grant(server.id, {
          agent_id: agentId,
          ...(tools === 'all' ? { access_mode: 'all' } : { access_mode: 'selected', tools }),
        });
    },
    onSuccess: (_, { server, tools }) =>
      toast(
        tools === null ? `The agent uses ${server.name} no more.` : `The agent’s next turns may use ${server.name}.`,
      ),
    onError: toastError,
    onSettled: (_data, _error, { server }) =>
      Promise.all([
        client.invalidateQueries({ queryKey: serverKey(server.id) }),
        client.invalidateQueries({ queryKey: agentKey(agentId), exact: true }),
      ]),
  });
}
