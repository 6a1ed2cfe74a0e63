import type { Bus } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { ensureWorkspace, pingWorkspace, type RequestContract } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
import type { z } from 'zod';
import { workspaceGone } from './workspace-gone.js';

export interface WorkspaceRequestOptions {
  /** The context of a request that may take so long; by default the call in hand. */
  contextOf?: (timeoutMs: number) => CallContext;
  /** False where only a workspace that is awake can answer, as what it began would be gone. */
  wakes?: boolean;
  /** Called before each try with its time by `performance.now()`, and with undefined when a try has reached nobody. */
  onSend?: (at: number | undefined) => void;
}

export interface WatchedRequestOptions extends Omit<WorkspaceRequestOptions, 'onSend'> {
  /** Asks the daemon whether it is still there. */
  ping?: () => Promise<z.output<typeof pingWorkspace.output>>;
  /** Ends the wait with its reason; the request itself goes on. */
  signal?: AbortSignal | undefined;
}

/**
 * Sends a request to an agent's workspace; wakes it first when nobody is there. Sent a second time only when the first
 * try reached nobody, so nothing is done twice: one that timed out may have been carried out. Whose agent it is has been
 * checked. Errors: those of the contract and of `ensureWorkspace`.
 */
export async function requestWorkspace<I extends z.ZodType, O extends z.ZodType>(
  bus: Bus,
  contract: RequestContract<I, O>,
  input: z.output<I> & { agentId: string },
  { contextOf, wakes = true, onSend }: WorkspaceRequestOptions = {},
): Promise<z.output<O>> {
  const send = () => {
    onSend?.(performance.now());
    return bus.request(contract, input, contextOf?.(contract.timeoutMs));
  };
  try {
    return await send();
  } catch (error) {
    if (!wakes || !reachedNobody(error)) throw error;
    onSend?.(undefined);
    await bus.request(ensureWorkspace, { agentId: input.agentId }, contextOf?.(ensureWorkspace.timeoutMs));
    return send();
  }
}

/**
 * `requestWorkspace` for what may take long: a workspace that ends under the request fails it within seconds, where the
 * bus would leave it without an answer for its whole timeout. Errors: AGENT_UNAVAILABLE, besides.
 */
export async function requestWatched<I extends z.ZodType, O extends z.ZodType>(
  bus: Bus,
  contract: RequestContract<I, O>,
  input: z.output<I> & { agentId: string },
  { signal, ping, ...options }: WatchedRequestOptions = {},
): Promise<z.output<O>> {
  signal?.throwIfAborted();
  let sentAt: number | undefined;
  const watch = new AbortController();
  const { agentId } = input;
  const looks = {
    ping: ping ?? (() => requestWorkspace(bus, pingWorkspace, { agentId }, options)),
    sentAt: () => sentAt,
  };
  try {
    const answer = requestWorkspace(bus, contract, input, { ...options, onSend: (at) => (sentAt = at) });
    return await Promise.race([answer, aborted(signal, watch.signal), workspaceGone(looks, answer, watch.signal)]);
  } finally {
    watch.abort();
  }
}

function aborted(signal: AbortSignal | undefined, done: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: done });
  });
}
