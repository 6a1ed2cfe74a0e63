/**
 * The current call: for whom, under which request id and trace, and until when. It follows the code through awaits
 * (AsyncLocalStorage), so that logs, events and nested requests carry it without being handed it.
 */
import { RoostError } from '#lib/contracts';
import { AsyncLocalStorage } from 'node:async_hooks';

/** Account, request id, trace and deadline of a call; every request to another service carries them. */
export interface CallContext {
  /** The tenant; null when a service acts on its own behalf (reconcile, claim). */
  readonly accountId: string | null;
  readonly requestId: string;
  /** W3C trace context, if the caller had one. */
  readonly traceparent?: string | undefined;
  /** Epoch ms after which nobody waits for the answer any more. */
  readonly deadline: number;
}

const current = new AsyncLocalStorage<CallContext>();

/** The context of the request being handled here, if any: logs and nested requests take it from there. */
export function currentCall(): CallContext | undefined {
  return current.getStore();
}

/** Runs `work` as part of the given call. */
export function inCall<T>(context: CallContext, work: () => T): T {
  return current.run(context, work);
}

/** A context for work that no request caused, e.g. a sweep. */
export function ownCall(requestId: string, timeoutMs = 30_000): CallContext {
  return { accountId: null, requestId, deadline: Date.now() + timeoutMs };
}

/** The tenant a request is made for. Errors: UNAUTHORIZED when a handler that serves accounts is called without one. */
export function accountOf(context: CallContext): string {
  if (!context.accountId) throw new RoostError('UNAUTHORIZED', 'this request needs an account');
  return context.accountId;
}
