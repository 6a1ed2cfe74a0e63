import type { Platform } from '@roost-ai/sdk';
import { queryOptions } from '@tanstack/react-query';
import { agentKey } from '../agents/agents.js';
import { roost } from '../api/roost.js';

/** A bot connects within seconds of a new token. */
const SOON_MS = 2_000;
const LATER_MS = 10_000;

export const channelsKey = (agentId: string) => [...agentKey(agentId), 'channels'] as const;

/** The chat platforms: talking through the API is no channel that anybody sets up. */
export const channelsQuery = (agentId: string) =>
  queryOptions({
    queryKey: channelsKey(agentId),
    queryFn: async ({ signal }) => {
      const channels = await roost.agent(agentId).channels.list({ signal });
      return channels.filter(({ type }) => isPlatform(type));
    },
    refetchInterval: ({ state }) => (state.data?.some(({ health }) => health === 'connecting') ? SOON_MS : LATER_MS),
  });

/** Who is linked on a platform; while somebody is about to be, it is looked at often. */
export const linksQuery = (agentId: string, platform: Platform, isAwaited = false) =>
  queryOptions({
    queryKey: [...channelsKey(agentId), platform],
    queryFn: ({ signal }) => roost.agent(agentId).channels.status(platform, { signal }),
    refetchInterval: isAwaited ? SOON_MS : LATER_MS,
  });

const isPlatform = (type: string): type is Platform => type !== 'api' && type !== 'schedule' && type !== 'trigger';
