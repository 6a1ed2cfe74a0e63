import { AsyncLocalStorage } from 'node:async_hooks';
import { headers, type MsgHdrs } from '@nats-io/transport-node';

/** Who asks, for which request, until when: carried along by every NATS request. */
export interface CallContext {
  /** The tenant; null when a service acts on its own behalf (reconcile, claim). */
  readonly accountId: string | null;
  readonly requestId: string;
  /** W3C trace context, if the caller had one. */
  readonly traceparent?: string | undefined;
  /** Epoch ms after which nobody waits for the answer any more. */
  readonly deadline: number;
}

const ACCOUNT = 'roost-account';
const REQUEST_ID = 'roost-request-id';
const TRACEPARENT = 'traceparent';
const DEADLINE = 'roost-deadline';

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

export function toHeaders(context: CallContext): MsgHdrs {
  const hdrs = headers();
  if (context.accountId) hdrs.set(ACCOUNT, context.accountId);
  hdrs.set(REQUEST_ID, context.requestId);
  if (context.traceparent) hdrs.set(TRACEPARENT, context.traceparent);
  hdrs.set(DEADLINE, String(context.deadline));
  return hdrs;
}

export function fromHeaders(hdrs: MsgHdrs | undefined): CallContext {
  const deadline = Number(hdrs?.get(DEADLINE));
  return {
    accountId: hdrs?.get(ACCOUNT) || null,
    requestId: hdrs?.get(REQUEST_ID) || 'req_unknown',
    traceparent: hdrs?.get(TRACEPARENT) || undefined,
    deadline: Number.isFinite(deadline) && deadline > 0 ? deadline : Date.now() + 5_000,
  };
}
