import { AnswerTooLarge } from '#lib/bounded-streams';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { ReadableWritablePair } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';

export type RequestId = string | number;

/** How far a stream was read, and how to take it up. */
interface Position {
  lastEventId: string | undefined;
  retryMs: number;
  failures: number;
}

interface Broken {
  id: RequestId;
  /** Asks for what followed an event. */
  reopen: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  signal: AbortSignal | undefined;
}

/** How often in a row a stream is taken up that brings nothing new. */
const MAX_FAILED_RESUMES = 3;
/** In all, for a server that ends its streams with each event. */
const MAX_RESUMES = 200;
const RESUME_AFTER_MS = 500;
/** A server may ask for a pause; the call's own timeout is two minutes. */
const MAX_RESUME_AFTER_MS = 20_000;
/** How long a server may take to begin a resumed stream; then it may be silent, as any stream. */
const REOPEN_MS = 5_000;

/**
 * The stream of an answer, taken up where it broke off if the server numbers its events. When that is not possible
 * the answer is an error, at once: the call is not repeated, for it may have been carried out. Event ids are not
 * passed on: the SDK would resume, too, and without an end.
 */
export function wholeAnswer(body: ReadableStream<Uint8Array>, broken: Broken): ReadableStream<Uint8Array> {
  return ReadableStream.from(events(body, broken)) as ReadableStream<Uint8Array>;
}

async function* events(first: ReadableStream<Uint8Array>, broken: Broken): AsyncGenerator<Uint8Array> {
  const { id, signal } = broken;
  const position: Position = { lastEventId: undefined, retryMs: RESUME_AFTER_MS, failures: 0 };
  let body: ReadableStream<Uint8Array> | undefined = first;
  for (let resumes = 0; body && resumes <= MAX_RESUMES; resumes++) {
    try {
      const parser = new EventSourceParserStream({
        onRetry: (ms) => (position.retryMs = Math.min(ms, MAX_RESUME_AFTER_MS)),
      });
      const text = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>);
      for await (const { id: eventId, event, data } of text.pipeThrough(parser)) {
        if (eventId && eventId !== position.lastEventId) {
          position.lastEventId = eventId;
          position.failures = 0;
        }
        if (!data) continue;
        yield encodeEvent(data, event);
        if (isAnswerTo(id, parsed(data))) return;
      }
    } catch (error) {
      if (error instanceof AnswerTooLarge) return yield failure(id, error.message);
      // The connection broke: as when the stream just ends, it is taken up below.
    }
    if (signal?.aborted) return;
    body = await resumed(position, broken);
  }
  yield failure(id, 'the connection broke off before the answer; the call may have been carried out all the same');
}

async function resumed(
  position: Position,
  { reopen, signal }: Broken,
): Promise<ReadableStream<Uint8Array> | undefined> {
  while (position.lastEventId !== undefined && position.failures < MAX_FAILED_RESUMES) {
    position.failures++;
    const pause = sleep(position.retryMs, true, { ...(signal ? { signal } : {}) });
    const response = await pause.then(() => reopened(position, reopen)).catch(() => undefined);
    if (signal?.aborted) return undefined;
    if (response?.ok && response.body && response.headers.get('content-type')?.startsWith('text/event-stream'))
      return response.body;
    await response?.body?.cancel();
    // It does not resume, or has forgotten the session; a failing server or network may be back soon.
    if (response && response.status < 500) return undefined;
  }
  return undefined;
}

async function reopened(position: Position, reopen: Broken['reopen']): Promise<Response> {
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    position.failures = MAX_FAILED_RESUMES;
    deadline.abort();
  }, REOPEN_MS);
  try {
    return await reopen(position.lastEventId ?? '', deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

const encoder = new TextEncoder();

export function encodeEvent(data: string, event?: string, id?: string): Uint8Array {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return encoder.encode(
    `${id === undefined ? '' : `id: ${id}\n`}${event ? `event: ${event}\n` : ''}${lines.join('')}\n`,
  );
}

export const encodeRetry = (ms: number): Uint8Array => encoder.encode(`retry: ${ms}\n\n`);

/** Whether a message is the answer, good or bad, to a request. The SDK, too, takes "7" for 7. */
export function isAnswerTo(id: RequestId, message: unknown): boolean {
  if (typeof message !== 'object' || message === null || 'method' in message) return false;
  if (!('id' in message)) return false;
  return (typeof message.id === 'string' || typeof message.id === 'number') && String(message.id) === String(id);
}

const failure = (id: RequestId, message: string) =>
  encodeEvent(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message } }));

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // no message; the SDK reports it
  }
}
