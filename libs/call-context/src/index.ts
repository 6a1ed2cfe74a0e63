/**
 * The current call: for whom, under which request id and trace, and until when. It follows the code through awaits
 * (AsyncLocalStorage), so that logs, events and nested requests carry it without being handed it.
 */
import { type Actor, RoostError } from '#lib/contracts';
import { AsyncLocalStorage } from 'node:async_hooks';

/** Account, request id, trace and deadline of a call; every request to another service carries them. */
export interface CallContext {
  /** The tenant; null when a service acts on its own behalf (reconcile, claim). */
  readonly accountId: string | null;
  readonly requestId: string;
  /** On whose behalf, for the audit; absent where a service acts by itself. */
  readonly actor?: Actor | undefined;
  /** W3C trace context: the span that the request is made in, if there is a trace. */
  readonly traceparent?: string | undefined;
  /** Epoch ms after which nobody waits for the answer any more. */
  readonly deadline: number;
}

/** What is known of the code that runs: the call it belongs to, its trace, and the turn it runs. */
interface Scope {
  readonly call: CallContext | undefined;
  readonly traceparent: string | undefined;
  readonly turnId: string | undefined;
}

const current = new AsyncLocalStorage<Scope>();

/** The context of the request being handled here, if any: logs and nested requests take it from there. */
export function currentCall(): CallContext | undefined {
  return current.getStore()?.call;
}

/** The span that the code runs in, in W3C form; also where no request is handled, as in a turn. */
export function currentTraceparent(): string | undefined {
  return current.getStore()?.traceparent;
}

/** The turn that the code runs, for logs. */
export function currentTurnId(): string | undefined {
  return current.getStore()?.turnId;
}

/** Runs `work` as part of the given call. */
export function inCall<T>(context: CallContext, work: () => T): T {
  const turnId = current.getStore()?.turnId;
  return current.run({ call: context, traceparent: context.traceparent, turnId }, work);
}

/** Runs `work` in a span of the current call. */
export function inTrace<T>(traceparent: string | undefined, work: () => T): T {
  const scope = current.getStore();
  const call = scope?.call && { ...scope.call, traceparent };
  return current.run({ call, traceparent, turnId: scope?.turnId }, work);
}

/** Runs `work`, which no request caused, as the given turn. */
export function inTurn<T>(turnId: string, work: () => T): T {
  return current.run({ call: undefined, traceparent: undefined, turnId }, work);
}

/** Runs `work` as part of no call: loops that a call starts go on when it has long ended, and serve others. */
export function outsideCalls<T>(work: () => T): T {
  return current.exit(work);
}

/** A context for work that no request caused, e.g. a sweep; of the trace that the code runs in, if there is one. */
export function ownCall(requestId: string, timeoutMs = 30_000): CallContext {
  return { accountId: null, requestId, traceparent: currentTraceparent(), deadline: Date.now() + timeoutMs };
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Trace and span of a `traceparent`; undefined for one that is not as the W3C has it, which counts as none. */
export function traceIdsOf(traceparent: string | undefined): { traceId: string; spanId: string } | undefined {
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!/[^0]/.test(traceId) || !/[^0]/.test(spanId) || traceparent?.startsWith('ff')) return undefined;
  return { traceId, spanId };
}

/** Whether the trace is kept, as its beginning decided. */
export function isSampled(traceparent: string): boolean {
  return (parseInt(traceparent.slice(-2), 16) & 1) === 1;
}

/** The tenant a request is made for. Errors: UNAUTHORIZED when a handler that serves accounts is called without one. */
export function accountOf(context: CallContext): string {
  if (!context.accountId) throw new RoostError('UNAUTHORIZED', 'this request needs an account');
  return context.accountId;
}
