import { type CallContext, inCall, traceIdsOf } from '#lib/call-context';
import { RoostError } from '#lib/contracts';
import { newId } from '#lib/database';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { AccessEnd } from '../access/access-ends.js';
import { actorOf, type Identity } from '../accounts/identity.js';

/** A little longer than the longest wait that a caller can ask for. */
export const DEADLINE_MS = 130_000;
const USABLE_ID = /^[\w.:-]{1,128}$/;
const USABLE_KEY = /^[\x20-\x7e]{1,255}$/;

/** The body of a request whose bytes `@BodyStream` gives. */
export const STREAMED: unique symbol = Symbol('roost:streamed');

/** A request with what our hooks found out about it. */
export interface ApiRequest extends FastifyRequest {
  requestId?: string;
  /** The span of this request, if there is one. */
  traceparent?: string;
  /** Who calls; absent on public endpoints. */
  identity?: Identity;
  /** The bytes of the body as they were sent, for signatures; absent when it is a stream or empty. */
  rawBody?: Buffer;
  /** The body where the endpoint accepts streams and it was not JSON. */
  bodyStream?: Readable;
  /** The call under its `Idempotency-Key`, until its result is kept. */
  idempotent?: { dedupeKey: string; complete(body: unknown, status: number): Promise<void> };
  /** Ends a response that has begun, when its caller may not have it any more. */
  endReply?: (why: AccessEnd) => void;
}

/** HEAD is GET without the body: what holds for one holds for the other. */
export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** The caller's `x-request-id` if it is usable, else a new one. The same for the whole request. */
export function requestIdOf(request: ApiRequest): string {
  const given = request.headers['x-request-id'];
  request.requestId ??= typeof given === 'string' && USABLE_ID.test(given) ? given : `req_${newId()}`;
  return request.requestId;
}

/** The `Idempotency-Key` of a POST. Errors: VALIDATION_ERROR. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || request.method !== 'POST') return undefined;
  if (typeof key === 'string' && USABLE_KEY.test(key)) return key;
  throw new RoostError('VALIDATION_ERROR', 'Idempotency-Key: must be 1 to 255 printable ASCII characters', [
    { field: 'Idempotency-Key', reason: 'invalid' },
  ]);
}

/** The caller's trace, if it names one as the W3C has it. */
export function traceparentOf({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return typeof traceparent === 'string' && traceIdsOf(traceparent) ? traceparent : undefined;
}

/** What every request to a service carries on behalf of this HTTP request. */
export function contextOf(request: ApiRequest): CallContext {
  return {
    accountId: request.identity?.accountId ?? null,
    requestId: requestIdOf(request),
    actor: request.identity && actorOf(request.identity),
    traceparent: request.traceparent ?? traceparentOf(request),
    deadline: Date.now() + DEADLINE_MS,
  };
}

/** Runs what comes after this hook, the method included, in the context of the request. */
export function addCallContext(server: FastifyInstance): void {
  server.addHook('preHandler', (request, _reply, done) => inCall(contextOf(request), done));
}
