import { setTimeout as sleep } from 'node:timers/promises';

export interface FollowedEvent {
  /** Absent where the stream gave none. */
  id: string | undefined;
  type: string;
  data: Record<string, unknown>;
}

export interface Following {
  /** How often it had to connect again. */
  readonly reconnects: number;
  stop(): Promise<void>;
}

/**
 * Follows server-sent events as a browser's EventSource does: connects again with `Last-Event-ID` whenever the stream
 * ends, for whatever reason. `onEvent` gets them in the order of their arrival. A `url` that is a function is asked at
 * each connection.
 */
export function followEvents(
  url: string | (() => string),
  headers: Record<string, string>,
  onEvent: (event: FollowedEvent) => void,
  options: { lastEventId?: string; onOpen?: () => void } = {},
): Following {
  const abort = new AbortController();
  const state = { lastEventId: options.lastEventId, reconnects: -1 };
  const connect = async () => {
    state.reconnects += 1;
    const response = await fetch(typeof url === 'string' ? url : url(), {
      headers: { ...headers, ...(state.lastEventId === undefined ? {} : { 'last-event-id': state.lastEventId }) },
      signal: abort.signal,
    });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      return;
    }
    options.onOpen?.();
    for await (const event of eventsOf(response.body)) {
      if (event.id !== undefined) state.lastEventId = event.id;
      if (event.data !== undefined) onEvent({ ...event, data: event.data });
    }
  };
  const loop = (async () => {
    while (!abort.signal.aborted) {
      await connect().catch(() => undefined); // the server is away: that is what connecting again is for
      if (!abort.signal.aborted) await sleep(200);
    }
  })();
  return {
    get reconnects() {
      return state.reconnects;
    },
    async stop() {
      abort.abort();
      await loop;
    },
  };
}

/** The events of a stream that ends by itself, to its end. Errors: a status that is no success. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<FollowedEvent[]> {
  const response = await fetch(url, { headers });
  if (!response.ok || !response.body) throw new Error(`${url} gave ${response.status} ${await response.text()}`);
  const events: FollowedEvent[] = [];
  for await (const { data, ...event } of eventsOf(response.body))
    if (data !== undefined) events.push({ ...event, data });
  return events;
}

async function* eventsOf(body: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    yield* blocks.flatMap(parse);
  }
}

/** A block may hold an id alone: it moves the position and is no event. */
function parse(block: string): { id: string | undefined; type: string; data: Record<string, unknown> | undefined }[] {
  const fields = new Map(
    block.split('\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trimStart()]] : [];
    }),
  );
  const data = fields.get('data');
  if (data === undefined && !fields.has('id')) return [];
  return [
    {
      id: fields.get('id'),
      type: fields.get('event') ?? 'message',
      data: data === undefined ? undefined : (JSON.parse(data) as Record<string, unknown>),
    },
  ];
}
