import { AuthenticationError, ConnectionError, PermissionError, RoostError } from '../transport/errors.js';
import { backoff, sleep } from '../transport/retry.js';
import type { CallOptions, Transport } from '../transport/transport.js';
import { type AgentEvent, type AnyEvent, eventOf } from './agent-events.js';
import { SseParser } from './sse-parser.js';

/** A silent connection sends a comment every 15 s: one that says nothing for so long is dead. */
const SILENCE_MS = 45_000;

export interface FollowOptions extends CallOptions {
  /** Below the URL of Roost, with its query; asked for at each connection. */
  path: () => string;
  after?: string | undefined;
}

/** Where the reader is, which it has before its first event; or an event. */
export type Followed<E extends AnyEvent> = { position: string } | E;

/**
 * The events of a stream, across as many connections as it takes: each goes on after the last event of the one before.
 * Gives up when there was no connection for `retryForMs`. Errors: RoostError, ConnectionError, EventTooLargeError, the
 * signal's reason.
 */
export async function* follow<E extends AnyEvent = AgentEvent>(
  transport: Transport,
  options: FollowOptions,
): AsyncGenerator<Followed<E>, void, undefined> {
  const { signal } = options;
  const retryForMs = options.retryForMs ?? transport.retryForMs;
  const state = { lastEventId: options.after, connectedAt: Date.now(), attempt: 0, isFirst: true, hasHeard: false };
  for (;;) {
    let pause = backoff(state.attempt);
    try {
      for await (const { event, retryMs } of connection<E>(transport, options, state)) {
        pause = retryMs ?? pause;
        yield event;
        if ('type' in event && LAST.includes(event.type)) return;
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (!isPassing(error, state.isFirst)) throw error;
      if (Date.now() - state.connectedAt > retryForMs) throw error;
      if (error instanceof RoostError) pause = Math.max(pause, error.retryAfterMs ?? 0);
    }
    state.attempt = state.hasHeard ? 0 : state.attempt + 1;
    await sleep(pause, signal);
  }
}

/** After these there is nothing to connect for. */
const LAST: AnyEvent['type'][] = ['agent.deleted', 'run.ended'];

interface State {
  lastEventId: string | undefined;
  connectedAt: number;
  /** Connections in a row that brought no event. */
  attempt: number;
  isFirst: boolean;
  hasHeard: boolean;
}

async function* connection<E extends AnyEvent>(
  transport: Transport,
  options: FollowOptions,
  state: State,
): AsyncGenerator<{ event: Followed<E>; retryMs: number | undefined }> {
  state.hasHeard = false;
  const { response, release } = await transport.stream(
    {
      method: 'GET',
      path: options.path(),
      headers: {
        accept: 'text/event-stream',
        ...(state.lastEventId === undefined ? {} : { 'last-event-id': state.lastEventId }),
      },
    },
    // The first connection is a call like another; later ones are tried again here, where the server is only away.
    { ...options, ...(state.isFirst ? {} : { retryForMs: 0 }) },
  );
  state.isFirst = false;
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const part = await next(reader);
      state.connectedAt = Date.now();
      if (part === undefined || part.done) return;
      for (const { data, event: name, lastEventId } of parser.push(decoder.decode(part.value, { stream: true }))) {
        state.hasHeard ||= data !== undefined;
        const isNew = lastEventId !== state.lastEventId;
        // Before it is handed out: a reader that leaves after an event does not want it again.
        state.lastEventId = lastEventId;
        if (data === undefined) yield { event: { position: lastEventId ?? '' }, retryMs: parser.retryMs };
        else if (name === 'stream.cut') return;
        else if (name === 'stream.ended') throw endOf(JSON.parse(data) as { reason: string; message: string });
        else {
          const event = eventOf<E>(name, isNew ? lastEventId : undefined, JSON.parse(data));
          yield { event, retryMs: parser.retryMs };
        }
      }
    }
  } finally {
    release();
    // A stream that has failed says so again.
    await reader?.cancel().catch(() => undefined);
  }
}

/** The next part; undefined of a response without a body. Errors: ConnectionError, whatever ended it. */
async function next(reader: ReadableStreamDefaultReader<Uint8Array> | undefined) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${SILENCE_MS} ms`)), SILENCE_MS);
  });
  try {
    return await Promise.race([reader?.read(), silence]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(`the stream broke off: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Whether to connect again. A quota of streams may be taken by the very connection that was lost. */
function isPassing(error: unknown, isFirst: boolean): boolean {
  if (isFirst) return false;
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof RoostError)) return false;
  return error.status === 429 || error.status >= 500 || error.code === 'QUOTA_EXCEEDED';
}

function endOf({ reason, message }: { reason: string; message: string }): RoostError {
  return reason === 'agents_disabled'
    ? new PermissionError({ code: 'FEATURE_DISABLED', message, status: 403 })
    : new AuthenticationError({ code: 'UNAUTHORIZED', message, status: 401 });
}
