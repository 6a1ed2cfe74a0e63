import { RoostError } from '#lib/contracts';
import type { FastifyRequest } from 'fastify';

const USABLE = /^[\x20-\x7e]{1,255}$/;

/** The `Idempotency-Key` of a POST. Errors: VALIDATION_ERROR. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || request.method !== 'POST') return undefined;
  if (typeof key === 'string' && USABLE.test(key)) return key;
  throw new RoostError('VALIDATION_ERROR', 'Idempotency-Key: must be 1 to 255 printable ASCII characters', [
    { field: 'Idempotency-Key', reason: 'invalid' },
  ]);
}
