import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { roost } from '../api/roost.js';
import { useAgentState } from '../events/agent-events.js';
import { finishedTools } from '../events/agent-views.js';
import { filesKey } from './file-content.js';
import { rowsOf, type TreeRow } from './tree-state.js';
import { TreeStore } from './tree-store.js';

/** An agent calls tools one after another: what they changed is looked at once. */
const SETTLE_MS = 400;

/** What was read of the workspace, and read again when the agent's tools may have changed it. */
export function useTree(agentId: string, path: string | undefined): TreeStore {
  const client = useQueryClient();
  const store = useMemo(() => new TreeStore(roost.agent(agentId).files), [agentId]);
  useEffect(() => {
    const end = store.start();
    return end;
  }, [store]);
  useEffect(() => store.reveal(path ?? ''), [store, path]);
  const { gaps, ...state } = useAgentState();
  const changes = gaps + finishedTools(state);
  const seen = useRef(changes);
  useEffect(() => {
    if (seen.current === changes) return;
    const timer = setTimeout(() => {
      seen.current = changes;
      store.refresh();
      void client.invalidateQueries({ queryKey: filesKey(agentId) });
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [store, client, agentId, changes]);
  return store;
}

export function useRows(store: TreeStore): TreeRow[] {
  const state = useSyncExternalStore(store.subscribe, store.get);
  return useMemo(() => rowsOf(state), [state]);
}
