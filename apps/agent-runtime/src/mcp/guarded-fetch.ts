import { AnswerTooLarge } from '#lib/bounded-streams';
import { currentTraceparent } from '#lib/call-context';
import { guardedDispatcher, type GuardPolicy } from '#lib/net-guard';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { fetch as undiciFetch } from 'undici';

/** The largest single answer, or single event of a stream, that is taken from an MCP server. */
export const MAX_MESSAGE_BYTES = 8 * 1_048_576;

/** Of what is answered with an error: the SDK puts all of it into the error's message. */
const MAX_ERROR_BYTES = 64 * 1_024;

export interface GuardedFetch {
  fetch: FetchLike;
  close(): Promise<void>;
}

/**
 * A fetch for addresses that users gave: it reaches nothing that the guard refuses, follows no redirect, and breaks
 * off an answer that grows beyond the limit before it fills the memory.
 */
export function guardedFetch(policy: GuardPolicy, maxBytes = MAX_MESSAGE_BYTES): GuardedFetch {
  // A stream of events may be silent for long; calls have a timeout of their own.
  const dispatcher = guardedDispatcher(policy, { bodyTimeout: 0 });
  return {
    fetch: async (url, init) => {
      const traceparent = currentTraceparent();
      const { status, statusText, headers, body } = await undiciFetch(url, {
        method: init?.method ?? 'GET',
        headers: { ...Object.fromEntries(new Headers(init?.headers)), ...(traceparent && { traceparent }) },
        body:
          init?.body instanceof URLSearchParams ? init.body.toString() : ((init?.body as string | undefined) ?? null),
        signal: init?.signal ?? null,
        redirect: 'manual',
        dispatcher,
      }).catch((error: unknown) => {
        throw withReason(error);
      });
      const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false;
      const capped =
        body === null || status === 204 || status === 304
          ? null
          : (body as ReadableStream<Uint8Array>).pipeThrough(
              status < 400 ? cap(maxBytes, isStream) : head(MAX_ERROR_BYTES),
            );
      return new Response(capped, { status: status === 0 ? 502 : status, statusText, headers: [...headers] });
    },
    close: () => dispatcher.destroy(),
  };
}

/** undici says only "fetch failed"; the reason is for the model and the server's owner. Still a TypeError: the SDK reads it. */
function withReason(error: unknown): unknown {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error;
  const { code } = error.cause as { code?: unknown };
  // undici's own codes say less than its words.
  const reason = typeof code === 'string' && !code.startsWith('UND_') ? code : error.cause.message;
  return new TypeError(`the MCP server could not be reached (${reason})`, { cause: error.cause });
}

const LINE_FEED = 10;

/** Counts bytes; in a stream of events the count begins anew after each event (an empty line). */
function cap(maxBytes: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  let atLineStart = false;
  return new TransformStream({
    transform(chunk, controller) {
      if (isStream) {
        for (const byte of chunk) {
          size++;
          if (byte === LINE_FEED) {
            if (atLineStart) size = 0;
            atLineStart = true;
          } else if (byte !== 13) atLineStart = false;
        }
      } else size += chunk.length;
      if (size > maxBytes)
        controller.error(new AnswerTooLarge(`the answer is larger than ${maxBytes / 1_048_576} MiB`));
      else controller.enqueue(chunk);
    },
  });
}

/** The beginning of a stream; the rest is not read. */
function head(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = maxBytes;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) controller.terminate();
    },
  });
}
