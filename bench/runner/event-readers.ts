import { followEvents, type Following, until } from '#lib/testing';
import { authorization } from './exchange.js';

interface Reader {
  agentId: string;
  opened: number;
  /** Ids of durable events as they were sent; parts and deltas have a `/` in theirs. */
  durable: string[];
  ids: Set<string>;
  repeated: number;
  stream: Following;
}

export interface EventReadersOptions {
  url: string;
  apiKey: string;
  agentIds: string[];
  count: number;
}

/** Opened at once: more would only wait in the server's queue of connections. */
const WAVE = 100;

/** Readers of agents' event streams, spread over the agents, each resuming by Last-Event-ID whenever it is cut. */
export class EventReaders {
  private readonly readers: Reader[] = [];

  /** Resolves when all of them are open. */
  static async open({ url, apiKey, agentIds, count }: EventReadersOptions): Promise<EventReaders> {
    const all = new EventReaders();
    while (all.readers.length < count) {
      for (let n = 0; n < WAVE && all.readers.length < count; n += 1) {
        const agentId = agentIds[all.readers.length % agentIds.length] ?? '';
        all.readers.push(follow(`${url}/v1/agent/${agentId}/events`, agentId, authorization({ apiKey })));
      }
      await until('the streams are open', () => all.readers.every(({ opened }) => opened > 0));
    }
    return all;
  }

  /** How often streams were opened in all. */
  get openings(): number {
    return this.readers.reduce((sum, { opened }) => sum + opened, 0);
  }

  /** Events, parts and deltas that were sent in all. */
  get sent(): number {
    return this.readers.reduce((sum, { ids }) => sum + ids.size, 0);
  }

  /** Compares what each reader was sent with its agent's rows, once it has been sent as much, or `timeoutMs` is over. */
  async judge(
    rowsOf: Map<string, string[]>,
    timeoutMs: number,
  ): Promise<{ withGap: number; doubles: number; misordered: number }> {
    const expected = (reader: Reader) => rowsOf.get(reader.agentId) ?? [];
    const isBehind = (reader: Reader) => expected(reader).some((id) => !reader.ids.has(id));
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline && this.readers.some(isBehind);) {
      await new Promise((done) => setTimeout(done, 100));
    }
    const withGap = this.readers.filter(isBehind);
    // What came before the rows that were asked for is of no interest.
    const inOrder = (reader: Reader) => reader.durable.filter((id) => expected(reader).includes(id));
    const misordered = this.readers.filter(
      (reader) => !withGap.includes(reader) && inOrder(reader).join() !== expected(reader).join(),
    );
    return {
      withGap: withGap.length,
      doubles: this.readers.reduce((sum, { repeated }) => sum + repeated, 0),
      misordered: misordered.length,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.readers.map(({ stream }) => stream.stop()));
  }
}

function follow(url: string, agentId: string, headers: Record<string, string>): Reader {
  const reader: Omit<Reader, 'stream'> = { agentId, opened: 0, durable: [], ids: new Set(), repeated: 0 };
  const stream = followEvents(
    url,
    headers,
    ({ id }) => {
      if (id === undefined) return;
      if (reader.ids.has(id)) reader.repeated += 1;
      else if (!id.includes('/')) reader.durable.push(id);
      reader.ids.add(id);
    },
    { onOpen: () => (reader.opened += 1) },
  );
  return Object.assign(reader, { stream });
}
