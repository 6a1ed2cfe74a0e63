import type { AgentEvent, Message } from '@roost-ai/sdk';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { agentKey, agentsKey, setStatus } from '../agents/agents.js';
import { approvalsKey } from '../approvals/approvals.js';
import type { AgentState } from './agent-state.js';
import { AgentStore, type Connection } from './agent-store.js';
import { followAgent } from './follow-agent.js';

const Store = createContext<AgentStore | undefined>(undefined);

/** Follows an agent for all screens inside: one stream, one state. */
export function AgentEventsProvider({ agentId, children }: { agentId: string; children: ReactNode }) {
  const [store] = useState(() => new AgentStore());
  const client = useQueryClient();
  useEffect(() => {
    const end = new AbortController();
    void followAgent(agentId, store, end.signal, (event) => noteEvent(client, agentId, event));
    return () => end.abort();
  }, [agentId, store, client]);
  return <Store value={store}>{children}</Store>;
}

export function useAgentStore(): AgentStore {
  const store = useContext(Store);
  if (!store) throw new Error('this is used outside of an agent’s page');
  return store;
}

export function useAgentState(): AgentState {
  const store = useAgentStore();
  return useSyncExternalStore(store.subscribe, () => store.get().agent);
}

export function useConnection(): Connection {
  const store = useAgentStore();
  return useSyncExternalStore(store.subscribe, () => store.get().connection);
}

/** What an event says of things that other screens have loaded. */
function noteEvent(client: QueryClient, agentId: string, event: AgentEvent): void {
  if (event.type === 'stream.gap') return noteGap(client, agentId);
  if (event.type === 'agent.status') {
    setStatus(client, agentId, event.data.status);
    void client.invalidateQueries({ queryKey: agentKey(agentId), exact: true });
  }
  if (event.type === 'agent.deleted') void client.invalidateQueries({ queryKey: agentsKey });
  if (event.type === 'message.created' || event.type === 'message.completed' || event.type === 'message.posted')
    void client.invalidateQueries({ queryKey: [...agentKey(agentId), 'conversations'] });
  if (event.type === 'message.created') noteFiring(client, agentId, event.data.message.channel);
  if (event.type.startsWith('approval.')) void client.invalidateQueries({ queryKey: approvalsKey });
  if (CHANGES_RUNS.has(event.type)) void client.invalidateQueries({ queryKey: [...agentKey(agentId), 'runs'] });
}

/** Whatever events change may have changed. */
function noteGap(client: QueryClient, agentId: string): void {
  void client.invalidateQueries({ queryKey: agentKey(agentId), exact: true });
  for (const kind of ['conversations', 'runs', 'schedules', 'triggers'])
    void client.invalidateQueries({ queryKey: [...agentKey(agentId), kind] });
  void client.invalidateQueries({ queryKey: approvalsKey });
}

/** A schedule or a trigger has fired: its history is longer. */
function noteFiring(client: QueryClient, agentId: string, channel: Message['channel']): void {
  if (channel === 'schedule' || channel === 'trigger')
    void client.invalidateQueries({ queryKey: [...agentKey(agentId), `${channel}s`] });
}

const CHANGES_RUNS = new Set<AgentEvent['type']>([
  'turn.started',
  'turn.interrupted',
  'message.completed',
  'message.failed',
  'approval.requested',
  'approval.decided',
  'approval.expired',
]);
