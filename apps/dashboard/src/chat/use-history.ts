import type { Message } from '@roost-ai/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { roost } from '../api/roost.js';
import { useAgentState, useAgentStore, useConnection } from '../events/agent-events.js';

const PAGE = 50;
/** The stream opens first, so that nothing falls between it and the page; a stream that cannot open is not waited for. */
const WAIT_FOR_STREAM_MS = 1_500;
/** What a waiting message waits for is said by the history alone. */
const LOOK_AGAIN_MS = 4_000;

export interface History {
  isLoaded: boolean;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  error: unknown;
  loadOlder: () => void;
  reload: () => void;
}

/** Loads a conversation into the agent's state: its newest messages, older ones on demand, and anew after a gap. */
export function useHistory(agentId: string, conversationId: string, hasWaiting: boolean): History {
  const store = useAgentStore();
  const connection = useConnection();
  const { gaps } = useAgentState();
  const [state, setState] = useState({
    isLoaded: false,
    hasOlder: false,
    isLoadingOlder: false,
    error: undefined as unknown,
  });
  const pages = useRef<AsyncGenerator<Message[], void, undefined>>(undefined);
  const isStreamSettled = useSettled(connection === 'open', WAIT_FOR_STREAM_MS);

  const load = useCallback(async () => {
    const listing = roost.agent(agentId).messages.list({ conversation_id: conversationId, limit: PAGE });
    pages.current = listing.pages();
    try {
      const { value = [] } = await pages.current.next();
      store.addHistory(value ?? []);
      setState({ isLoaded: true, hasOlder: (value ?? []).length >= PAGE, isLoadingOlder: false, error: undefined });
    } catch (error) {
      setState((before) => ({ ...before, error }));
    }
  }, [agentId, conversationId, store]);

  useEffect(() => {
    if (isStreamSettled) void load();
  }, [load, isStreamSettled, gaps]);

  useEffect(() => {
    if (!hasWaiting) return;
    const look = async () => {
      const newest = await roost.agent(agentId).messages.list({ conversation_id: conversationId, limit: PAGE }).first();
      store.addHistory(newest);
    };
    const timer = setInterval(
      () => void look().catch((error: unknown) => setState((before) => ({ ...before, error }))),
      LOOK_AGAIN_MS,
    );
    return () => clearInterval(timer);
  }, [agentId, conversationId, hasWaiting, store]);

  const loadOlder = useCallback(() => {
    const from = pages.current;
    if (!from || state.isLoadingOlder || !state.hasOlder) return;
    setState((before) => ({ ...before, isLoadingOlder: true }));
    void from.next().then(
      ({ value, done }) => {
        store.addHistory(value ?? []);
        setState({
          isLoaded: true,
          hasOlder: !done && (value ?? []).length >= PAGE,
          isLoadingOlder: false,
          error: undefined,
        });
      },
      (error: unknown) => setState((before) => ({ ...before, isLoadingOlder: false, hasOlder: false, error })),
    );
  }, [state.isLoadingOlder, state.hasOlder, store]);

  return { ...state, loadOlder, reload: () => void load() };
}

/** True once it was, or after a while. */
function useSettled(isTrue: boolean, afterMs: number): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), afterMs);
    return () => clearTimeout(timer);
  }, [afterMs]);
  const [wasTrue, setWasTrue] = useState(isTrue);
  if (isTrue && !wasTrue) setWasTrue(true);
  return wasTrue || isOver;
}
