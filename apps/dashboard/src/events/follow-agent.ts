import { type AgentEvent, AuthenticationError, NotFoundError } from '@roost-ai/sdk';
import { queryClient, sessionKey } from '../api/query-client.js';
import { roost } from '../api/roost.js';
import type { AgentStore } from './agent-store.js';

/** The SDK gives up after a minute without Roost; the page does not. */
const RETRY_AFTER_MS = 3_000;
/** Browsers open six connections to one host: pages that nobody looks at give theirs back. */
const HIDDEN_AFTER_MS = 20_000;

/** Follows an agent until the signal: across lost connections, and where it was when the page is looked at again. */
export async function followAgent(
  agentId: string,
  store: AgentStore,
  signal: AbortSignal,
  onEvent: (event: AgentEvent) => void,
): Promise<void> {
  let after: string | undefined;
  const take = (event: AgentEvent) => {
    store.add(event);
    onEvent(event);
  };
  while (!signal.aborted) {
    const connection = connectionUntil(signal);
    try {
      const onOpen = (position: string) => {
        if (after === undefined)
          take({ type: 'stream.gap', data: { message: 'What was loaded before may be older.' } });
        after ??= position;
        store.setConnection('open');
      };
      for await (const event of roost.agent(agentId).events({ after, signal: connection.signal, onOpen })) {
        if ('id' in event && event.id !== undefined) after = event.id;
        take(event);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof AuthenticationError) return void queryClient.setQueryData(sessionKey, null);
      if (error instanceof NotFoundError) return store.add({ type: 'agent.deleted', data: { agent_id: agentId } });
      store.setConnection(connection.signal.aborted ? 'connecting' : 'lost');
      await (connection.signal.aborted ? whenVisible(signal) : pause(RETRY_AFTER_MS, signal));
    } finally {
      connection.release();
    }
  }
}

/** Aborted with the signal given, and when the page was hidden for a while. */
function connectionUntil(signal: AbortSignal): { signal: AbortSignal; release: () => void } {
  const hidden = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => hidden.abort(), HIDDEN_AFTER_MS);
  };
  watch();
  document.addEventListener('visibilitychange', watch);
  return {
    signal: AbortSignal.any([signal, hidden.signal]),
    release: () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', watch);
    },
  };
}

const whenVisible = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (!document.hidden) return resolve();
    const done = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    document.addEventListener('visibilitychange', done);
    signal.addEventListener('abort', done, { once: true });
  });

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
