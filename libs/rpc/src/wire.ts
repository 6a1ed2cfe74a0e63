import type { CallContext } from '#lib/call-context';
import { type Actor, ActorType, type ErrorDetail, isErrorCode, RoostError } from '#lib/contracts';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';

const ACCOUNT = 'roost-account';
const REQUEST_ID = 'roost-request-id';
const TRACEPARENT = 'traceparent';
const DEADLINE = 'roost-deadline';
const ACTOR = 'roost-actor';
/** No id that we make, or take from a platform, is as long. */
const MAX_ACTOR_CHARS = 300;
/** A request without a deadline, as only a foreign client sends it, has this long. */
const DEFAULT_TIMEOUT_MS = 5_000;

export function toHeaders(context: CallContext): MsgHdrs {
  const hdrs = headers();
  if (context.accountId) hdrs.set(ACCOUNT, context.accountId);
  hdrs.set(REQUEST_ID, context.requestId);
  if (context.traceparent) hdrs.set(TRACEPARENT, context.traceparent);
  if (context.actor) hdrs.set(ACTOR, encodeURIComponent(`${context.actor.type}:${context.actor.id}`));
  hdrs.set(DEADLINE, String(context.deadline));
  return hdrs;
}

export function fromHeaders(hdrs: MsgHdrs | undefined): CallContext {
  const deadline = Number(hdrs?.get(DEADLINE));
  return {
    accountId: hdrs?.get(ACCOUNT) || null,
    requestId: hdrs?.get(REQUEST_ID) || 'req_unknown',
    traceparent: hdrs?.get(TRACEPARENT) || undefined,
    actor: actorFrom(hdrs?.get(ACTOR)),
    deadline: Number.isFinite(deadline) && deadline > 0 ? deadline : Date.now() + DEFAULT_TIMEOUT_MS,
  };
}

function actorFrom(text: string | undefined): Actor | undefined {
  if (!text || text.length > MAX_ACTOR_CHARS || !isEncoded(text)) return undefined;
  const [type, ...id] = decodeURIComponent(text).split(':');
  const known = ActorType.safeParse(type);
  return known.success ? { type: known.data, id: id.join(':') } : undefined;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Names the field whose bytes are the payload. */
const BYTES = 'roost-bytes';
/** The other fields then, as JSON. */
const FIELDS = 'roost-fields';

/**
 * The payload that carries `body`, an object in the form of the wire: JSON. Bytes in one of its fields are the payload
 * as they are, and `hdrs` take the rest; as text in JSON they would be a third longer and be copied four times.
 */
export function toPayload(body: unknown, hdrs: MsgHdrs): string | Uint8Array {
  const bytes = Object.entries(body as object).find(
    (field): field is [string, Uint8Array] => field[1] instanceof Uint8Array,
  );
  if (!bytes) return JSON.stringify(body);
  const [name, payload] = bytes;
  hdrs.set(BYTES, name);
  hdrs.set(FIELDS, JSON.stringify({ ...(body as object), [name]: undefined }));
  return payload;
}

/** What `toPayload` was given. Errors: SyntaxError when it is not JSON. */
export function fromPayload(message: Msg): unknown {
  const name = message.headers?.get(BYTES);
  if (!name) return message.json();
  return { ...(JSON.parse(message.headers?.get(FIELDS) ?? '') as object), [name]: message.data };
}

/** Microseconds that the handler took, on replies of a process that writes no spans itself, to requests in a trace. */
export const SERVED_HEADER = 'roost-served-us';

/** Present on a reply that is an error; its value is the code, so that it can be seen without parsing. */
export const ERROR_HEADER = 'roost-error';

export interface ErrorReply {
  code: string;
  message: string;
  details: ErrorDetail[];
  retryAfterSeconds?: number | undefined;
}

export function toErrorReply(error: RoostError): ErrorReply {
  return {
    code: error.code,
    message: error.message,
    details: error.details,
    retryAfterSeconds: error.retryAfterSeconds,
  };
}

export function fromErrorReply(reply: ErrorReply): RoostError {
  const code = isErrorCode(reply.code) ? reply.code : 'INTERNAL';
  return new RoostError(code, reply.message, reply.details, reply.retryAfterSeconds);
}
