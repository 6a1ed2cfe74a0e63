import type { Bus } from '#lib/bus';
import { countMcpServers, countMessages } from '#lib/contracts';
import { askWithin } from './ask-within.js';

interface Counts {
  messages: number;
  /** Of the account's registry; the agent's own are in its row. */
  grantedServers: number;
}

/**
 * What other services count for agents, one request each, however many agents (at most 100). While one of them is away
 * its counts are 0.
 */
export async function countFor(bus: Bus, agentIds: string[]): Promise<(agentId: string) => Counts> {
  if (agentIds.length === 0) return () => ({ messages: 0, grantedServers: 0 });
  const none = { counts: {} as Record<string, number> };
  const [messages, servers] = await Promise.all([
    askWithin(bus, countMessages, { agentIds }, none),
    askWithin(bus, countMcpServers, { agentIds }, none),
  ]);
  return (agentId) => ({
    messages: messages.counts[agentId] ?? 0,
    grantedServers: servers.counts[agentId] ?? 0,
  });
}
