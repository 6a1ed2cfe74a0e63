import type { CallContext } from '#lib/bus';
import { newId } from '#lib/database';
import type { CallingRequest } from './endpoint.js';

const DEADLINE_MS = 130_000;
const USABLE_ID = /^[\w.:-]{1,128}$/;

/** The caller's `x-request-id` if it is usable, else a new one. The same for the whole request. */
export function requestIdOf(request: CallingRequest): string {
  const given = request.headers['x-request-id'];
  request.requestId ??= typeof given === 'string' && USABLE_ID.test(given) ? given : `req_${newId()}`;
  return request.requestId;
}

/** What every request to a service carries on behalf of this HTTP request. */
export function contextOf(request: CallingRequest): CallContext {
  const traceparent = request.headers.traceparent;
  return {
    accountId: request.accountId ?? null,
    requestId: requestIdOf(request),
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    deadline: Date.now() + DEADLINE_MS,
  };
}
