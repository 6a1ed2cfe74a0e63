import { type CallContext, inCall, isSampled } from '#lib/call-context';
import { encode, PARSE_CONTEXT, RoostError, type RequestContract } from '#lib/contracts';
import { headers, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { z } from 'zod';
import { asRoostError } from './errors.js';
import { validationError } from './validation-error.js';
import { ERROR_HEADER, fromHeaders, fromPayload, SERVED_HEADER, toErrorReply, toPayload } from './wire.js';

export type Handler<I extends z.ZodType, O extends z.ZodType> = (
  input: z.output<I>,
  context: CallContext,
) => Promise<z.output<O>> | z.output<O>;

/**
 * Answers one request that came over NATS: decodes by the contract and runs the handler in the caller's context.
 * Whatever the handler throws reaches the caller as a typed error; only RoostErrors keep their message. `isTimed`: the
 * reply to a request in a trace says how long it took.
 */
export async function reply<I extends z.ZodType, O extends z.ZodType>(
  message: Msg,
  contract: RequestContract<I, O>,
  handle: Handler<I, O>,
  onUnexpected: (error: unknown, subject: string) => void,
  isTimed = false,
): Promise<void> {
  const context = fromHeaders(message.headers);
  // Nobody waits for the answer any more; a request that was queued behind a stall must not be done late.
  if (context.deadline < Date.now()) return;
  const startedAt = isTimed && context.traceparent && isSampled(context.traceparent) ? performance.now() : undefined;
  try {
    const input = contract.input.safeParse(bodyOf(message), PARSE_CONTEXT);
    if (!input.success) throw validationError(input.error);
    const output = await inCall(context, async () => handle(input.data, context));
    const hdrs = headers();
    const payload = toPayload(encode(contract.output, output), hdrs);
    noteTime(hdrs, startedAt);
    message.respond(payload, hdrs.keys().length > 0 ? { headers: hdrs } : {});
  } catch (error) {
    const known = asRoostError(error, (unexpected) => onUnexpected(unexpected, message.subject));
    const hdrs = headers();
    hdrs.set(ERROR_HEADER, known.code);
    noteTime(hdrs, startedAt);
    message.respond(JSON.stringify(toErrorReply(known)), { headers: hdrs });
  }
}

function noteTime(hdrs: MsgHdrs, startedAt: number | undefined): void {
  if (startedAt !== undefined) hdrs.set(SERVED_HEADER, String(Math.round((performance.now() - startedAt) * 1_000)));
}

function bodyOf(message: Msg): unknown {
  try {
    return fromPayload(message);
  } catch {
    throw new RoostError('VALIDATION_ERROR', 'the request is not JSON');
  }
}

/** Serves a contract on a plain connection, for processes without Nest (the workspace daemon, the test harness). */
export function serve<I extends z.ZodType, O extends z.ZodType>(
  connection: NatsConnection,
  contract: RequestContract<I, O>,
  subject: string,
  handle: Handler<I, O>,
  onUnexpected: (error: unknown, subject: string) => void,
  queue?: string,
): Subscription {
  return connection.subscribe(subject, {
    ...(queue ? { queue } : {}),
    callback: (error, message) => {
      if (error) onUnexpected(error, subject);
      // Not even its own error could be answered, e.g. on a connection that is gone: the caller's deadline ends its wait.
      else
        reply(message, contract, handle, onUnexpected, true).catch((failed: unknown) => onUnexpected(failed, subject));
    },
  });
}
