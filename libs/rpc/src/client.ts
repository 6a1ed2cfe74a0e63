import type { CallContext } from '#lib/call-context';
import { encode, parseFromOtherVersion, type RequestContract, subjectOf } from '#lib/contracts';
import { errors, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { ANSWERED_LATE, NOT_REACHED, NOT_RUNNING, unavailable } from './errors.js';
import { fitting } from './validation-error.js';
import {
  ERROR_HEADER,
  type ErrorReply,
  fromErrorReply,
  fromPayload,
  SERVED_HEADER,
  toHeaders,
  toPayload,
} from './wire.js';

/**
 * Sends a request and waits for its answer, at most until the contract's timeout or the caller's deadline.
 * Errors: those of the contract; SERVICE_UNAVAILABLE when nobody serves the subject or the time is over. In the
 * second case the work may still have been done: callers that repeat must be idempotent. `onServed` is called with how long
 * the handler took, where it says so.
 */
export async function requestOverNats<I extends z.ZodType, O extends z.ZodType>(
  connection: NatsConnection,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  context: CallContext,
  onServed?: (ms: number) => void,
): Promise<z.output<O>> {
  const timeout = timeLeft(contract, context);
  const hdrs = toHeaders({ ...context, deadline: Date.now() + timeout });
  const payload = toPayload(
    fitting(() => encode(contract.input, input)),
    hdrs,
  );
  const message = await connection
    .request(subjectOf(contract, input), payload, { timeout, headers: hdrs })
    .catch((error: unknown) => {
      if (error instanceof errors.NoRespondersError) throw unavailable(contract, NOT_RUNNING);
      if (error instanceof errors.TimeoutError) throw unavailable(contract, ANSWERED_LATE);
      if (error instanceof errors.RequestError) {
        throw error.isNoResponders() ? unavailable(contract, NOT_RUNNING) : unavailable(contract, NOT_REACHED);
      }
      if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
        throw unavailable(contract, NOT_REACHED);
      }
      throw error;
    });
  const servedUs = onServed && message.headers?.has(SERVED_HEADER) ? Number(message.headers.get(SERVED_HEADER)) : NaN;
  if (Number.isFinite(servedUs)) onServed?.(servedUs / 1_000);
  if (message.headers?.has(ERROR_HEADER)) throw fromErrorReply(message.json<ErrorReply>());
  return parseFromOtherVersion(contract.output, fromPayload(message));
}

/** Milliseconds that a request has: the contract's, or what is left of its caller's. Errors: SERVICE_UNAVAILABLE. */
export function timeLeft(contract: RequestContract, { deadline }: CallContext): number {
  const left = Math.min(contract.timeoutMs, deadline - Date.now());
  if (left <= 0) throw unavailable(contract, ANSWERED_LATE);
  return left;
}
