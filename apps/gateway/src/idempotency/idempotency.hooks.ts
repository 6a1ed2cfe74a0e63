import { RoostError } from '#lib/contracts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { validateArguments } from '../http/arguments.js';
import { endpointRouteOf } from '../http/endpoint.js';
import { onClose } from '../http/on-close.js';
import { type ApiRequest, DEADLINE_MS, idempotencyKeyOf } from '../http/request.js';
import { type Fingerprint, fingerprintOf } from './fingerprint.js';
import type { IdempotencyRepository, KeptCall } from './idempotency.repository.js';
import { IdempotentCall } from './idempotent-call.js';

/**
 * Results of POSTs by `Idempotency-Key` (spec: 00-overview). To be added after the hook that encodes results.
 * Promised: of calls with one key, one runs at a time and one result is kept. Not promised: that a call whose gateway
 * was killed in the middle, or was silent for so long that it is taken for lost, is not carried out again; services that
 * must know get the key and dedupe themselves.
 * Errors: IDEMPOTENCY_KEY_REUSED (another request had the key), CONFLICT (the first is still running).
 */
export function addIdempotency(server: FastifyInstance, calls: IdempotencyRepository): void {
  server.addHook('preHandler', (request: ApiRequest, reply, done) => {
    const route = endpointRouteOf(request.routeOptions);
    if (!route || request.headers['idempotency-key'] === undefined || request.method !== 'POST') return done();
    void takeKey(calls, route.arguments, request, reply).then((isNew) => {
      if (isNew) done();
    }, done);
  });
  server.addHook('preSerialization', (request: ApiRequest, reply, payload, done) => {
    if (!request.idempotent) return done(null, payload);
    void request.idempotent.complete(payload, reply.statusCode).then(() => done(null, payload), done);
  });
}

/** False where the first result of the key was sent again. */
async function takeKey(
  calls: IdempotencyRepository,
  ...[declared, request, reply]: [Parameters<typeof validateArguments>[0], ApiRequest, FastifyReply]
): Promise<boolean> {
  // A request that is not valid takes no key: mended, it may be sent with the same one.
  validateArguments(declared, request);
  const given = idempotencyKeyOf(request);
  const { identity } = request;
  // Nothing is kept for a caller whom nobody knows. A route that takes bytes with a signature dedupes by itself.
  if (given === undefined || !identity) return true;
  const taken = [identity.accountId, given, randomUUID()] as const;
  const fingerprint = fingerprintOf(request);
  const found = await calls.take(taken, fingerprint.begun);
  if (!('dedupeKey' in found)) {
    await replay(found, fingerprint, reply);
    return false;
  }
  if (fingerprint.stream) request.bodyStream = fingerprint.stream;
  const call = new IdempotentCall(calls, taken, fingerprint, found.dedupeKey);
  request.idempotent = call;
  // The method completes it, also when its caller has gone; no method works longer than this for nobody.
  onClose(reply.raw, () => setTimeout(() => call.abandon(), DEADLINE_MS).unref());
  return true;
}

async function replay(kept: KeptCall, fingerprint: Fingerprint, reply: FastifyReply): Promise<void> {
  const whole = await fingerprint.whole();
  // While it runs, a stream's fingerprint is not known yet: it cannot be compared, and is still running.
  if (kept.fingerprint !== whole && (kept.status !== null || !fingerprint.stream))
    throw new RoostError('IDEMPOTENCY_KEY_REUSED', 'this Idempotency-Key was used for another request; use a new one');
  if (kept.status === null)
    throw new RoostError('CONFLICT', 'the first request with this Idempotency-Key is still running', [], 1);
  reply.header('idempotent-replayed', 'true').status(kept.status).type('application/json; charset=utf-8');
  // JSON as it was kept: it is not encoded a second time.
  void reply.send(kept.body ?? undefined);
}
