import { type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import type { ReadableWritablePair } from 'node:stream/web';
import { encodeEvent, encodeRetry } from './whole-answer.js';

/** Of an error that is no object, or has no message. */
const MAX_ERROR_CHARS = 500;
const INTERNAL_ERROR = -32_603;

type Members = Record<string, unknown>;
const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A server's message as the SDK takes it. The SDK drops a whole one for `error: null`, `_meta: null` or a member that it does not
 * know; a call then waits for its timeout, and is reported as failed though it was carried out.
 */
export function lenientMessage(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(lenientMessage);
  // The fetch also gets the documents of OAuth.
  if (!isMembers(message) || !('jsonrpc' in message) || JSONRPCMessageSchema.safeParse(message).success) return message;
  const { id, method, params, result, error } = message;
  if (typeof method === 'string')
    return {
      jsonrpc: '2.0',
      method,
      ...withId(id),
      ...(isMembers(params) ? { params: withoutMeta(params) } : {}),
    };
  if (isError(error)) return { jsonrpc: '2.0', ...withId(id), error: toError(error) };
  if (result === null || isMembers(result)) return { jsonrpc: '2.0', id, result: withoutMeta(result ?? {}) };
  return { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: NO_RESULT } };
}

const NO_RESULT = 'the answer has no result that could be read; the call may have been carried out all the same';

const withId = (id: unknown): Members => (id === undefined || id === null ? {} : { id });

const isError = (error: unknown): boolean => error !== undefined && error !== null && error !== false;

function toError(error: unknown): Members {
  const { code, message, data } = isMembers(error) ? error : { message: error };
  return {
    code: Number.isSafeInteger(code) ? code : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : JSON.stringify(error).slice(0, MAX_ERROR_CHARS),
    ...(data === undefined ? {} : { data }),
  };
}

/** `_meta` is for servers' own extensions, and for tasks, which we do not use. */
function withoutMeta({ _meta, ...members }: Members): Members {
  return members;
}

/** A message of text. Errors: SyntaxError and ZodError for what is none. */
export function readMessage(text: string): JSONRPCMessage {
  return JSONRPCMessageSchema.parse(lenientMessage(JSON.parse(text)));
}

/** A fetch under which the SDK takes every message that has a meaning, in an answer and in a stream of events. */
export function lenientFetch(fetch: FetchLike): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!response.ok || !response.body) return response;
    const type = response.headers.get('content-type') ?? '';
    const { status, statusText, headers } = response;
    if (type.startsWith('text/event-stream'))
      return new Response(lenientEvents(response.body), { status, statusText, headers });
    if (!type.startsWith('application/json')) return response;
    return new Response(lenientText(await response.text()), { status, statusText, headers });
  };
}

function lenientEvents(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  let parser: EventSourceParser;
  const events = new TransformStream<string, Uint8Array>({
    start(controller) {
      parser = createParser({
        onEvent: ({ data, event, id }) => controller.enqueue(encodeEvent(lenientText(data), event, id)),
        onRetry: (ms) => controller.enqueue(encodeRetry(ms)),
      });
    },
    transform: (text) => parser.feed(text),
  });
  return body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).pipeThrough(events);
}

/** Untouched where there is nothing to mend, or nothing that could be read. */
function lenientText(text: string): string {
  try {
    const message: unknown = JSON.parse(text);
    const lenient = lenientMessage(message);
    return lenient === message ? text : JSON.stringify(lenient);
  } catch {
    return text;
  }
}
