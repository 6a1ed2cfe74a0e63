import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { agentsQuery } from '../agents/agents.js';
import { serversQuery } from '../mcp/mcp.js';
import { sessionQuery } from '../session/session.js';
import { apiKeysQuery } from '../settings/keys.js';
import { secretsQuery } from '../vault/vault.js';
import { endpointsQuery } from '../webhooks/webhooks.js';

export type NameOf = (id: string) => string | undefined;

/** What was made since a list was loaded would be an id until that is loaded anew: half a minute for agents. */
const whenOpened = { refetchOnMount: 'always' } as const;

/** What the ids of an account's things stand for. Of what was deleted, or is in no list, nothing is known. */
export function useNames(): NameOf {
  const agents = useQuery({ ...agentsQuery, ...whenOpened }).data;
  const keys = useQuery({ ...apiKeysQuery, ...whenOpened }).data;
  const endpoints = useQuery({ ...endpointsQuery, ...whenOpened }).data;
  const servers = useQuery({ ...serversQuery, ...whenOpened }).data;
  const secrets = useQuery({ ...secretsQuery, ...whenOpened }).data;
  const user = useQuery(sessionQuery).data;
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const { id, name } of [...(agents ?? []), ...(servers ?? []), ...(secrets ?? [])]) names.set(id, name);
    for (const { id, uuid, name } of keys ?? []) names.set(id, name).set(uuid, name);
    for (const { id, url, description } of endpoints ?? []) names.set(id, description || url);
    if (user?.email) names.set(user.id, user.email);
    return (id) => names.get(id);
  }, [agents, keys, endpoints, servers, secrets, user]);
}
