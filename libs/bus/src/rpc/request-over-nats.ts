import { RoostError, type RequestContract, subjectOf } from '#lib/contracts';
import { errors, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { type CallContext, toHeaders } from './call-context.js';
import { ERROR_HEADER, type ErrorReply, fromErrorReply } from './error-reply.js';

/**
 * Sends a request and waits for its answer, at most until the contract's timeout or the caller's deadline.
 * Errors: those of the contract; SERVICE_UNAVAILABLE when nobody serves the subject or the time is over. In the
 * second case the work may still have been done: callers that repeat must be idempotent.
 */
export async function requestOverNats<I extends z.ZodType, O extends z.ZodType>(
  connection: NatsConnection,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  context: CallContext,
): Promise<z.output<O>> {
  const service = contract.subject.split('.', 1)[0] ?? '';
  const timeout = Math.min(contract.timeoutMs, context.deadline - Date.now());
  if (timeout <= 0) throw unavailable(service, 'did not answer in time');
  const payload = JSON.stringify(z.encode(contract.input, input));
  const message = await connection
    .request(subjectOf(contract, input), payload, {
      timeout,
      headers: toHeaders({ ...context, deadline: Date.now() + timeout }),
    })
    .catch((error: unknown) => {
      if (error instanceof errors.NoRespondersError) throw unavailable(service, 'is not running', NOBODY_THERE);
      if (error instanceof errors.TimeoutError) throw unavailable(service, 'did not answer in time');
      if (error instanceof errors.RequestError) {
        throw error.isNoResponders()
          ? unavailable(service, 'is not running', NOBODY_THERE)
          : unavailable(service, 'could not be reached');
      }
      if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError) {
        throw unavailable(service, 'could not be reached');
      }
      throw error;
    });
  if (message.headers?.has(ERROR_HEADER)) throw fromErrorReply(message.json<ErrorReply>());
  return contract.output.parse(message.json());
}

const NOBODY_THERE = 'nobody_there';

/** True when the request reached nobody, so that it is certain not to have been carried out. */
export function reachedNobody(error: unknown): boolean {
  return (
    error instanceof RoostError &&
    error.code === 'SERVICE_UNAVAILABLE' &&
    error.details.some((detail) => detail.reason === NOBODY_THERE)
  );
}

function unavailable(service: string, what: string, reason = 'unavailable'): RoostError {
  return new RoostError(
    'SERVICE_UNAVAILABLE',
    `the ${service} service ${what}; try again in a moment`,
    [{ reason, service }],
    2,
  );
}
