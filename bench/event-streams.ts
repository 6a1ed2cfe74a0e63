import { until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type BenchRoost, makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { type Figure, Options } from './runner/bench.js';
import { EventReaders } from './runner/event-readers.js';
import { authorization } from './runner/exchange.js';
import { LazyReader } from './runner/lazy-reader.js';
import { processOf, residentBytes } from './runner/processes.js';

export const name = 'event-streams';

const MEBIBYTE = 2 ** 20;
/** A reader that stands still for 15 s is cut, and has 15 s more to be sent the reason. */
const STANDSTILL_MS = 18_000;

/**
 * Open event streams while agents answer and the gateway is killed or stopped three times: what every reader was sent
 * is compared with the agents' rows. Then readers that do not read, of an agent whose events are large. Options:
 * streams=2000, agents=200, rate=10 messages/s, seconds=30, slow=20.
 */
export async function run(options: Options): Promise<Figure[]> {
  const streams = options.number('streams', 2_000);
  const roost = await startBenchRoost(new Options(['processes']));
  const rows = new pg.Client({ connectionString: roost.databaseUrl });
  const memory = watchMemory(roost);
  try {
    await rows.connect();
    const agentIds = await makeAgents(roost, options.number('agents', 200));
    const emptyBytes = memory.now();
    const readers = await EventReaders.open({ url: roost.url, apiKey: roost.apiKey, agentIds, count: streams });
    const openBytes = memory.now();
    const since = await lastRow(rows);
    const [messages, awayMs] = await Promise.all([
      sendFor(options.number('seconds', 30), options.number('rate', 10), roost, agentIds),
      restartGateway(roost, readers, streams),
    ]);
    await until('all are answered', async () => (await countAnswered(rows, since)) === messages, { everyMs: 500 });
    const { withGap, doubles, misordered } = await readers.judge(await eventsSince(rows, since), 60_000);
    const sent = readers.sent;
    const peakBytes = memory.peak();
    await readers.close();
    return [
      { what: 'open event streams', value: streams, unit: '' },
      { what: 'gateway memory for each', value: (openBytes - emptyBytes) / streams / 1_024, unit: 'KiB' },
      { what: 'gateway memory at most, with restarts', value: peakBytes / MEBIBYTE, unit: 'MiB', atMost: 512 },
      { what: 'events, parts and deltas sent', value: sent, unit: '' },
      { what: 'all open again after kill -9', value: awayMs.SIGKILL / 1_000, unit: 's' },
      { what: 'all open again after SIGTERM', value: awayMs.SIGTERM / 1_000, unit: 's' },
      { what: 'streams with a gap', value: withGap, unit: '', atMost: 0 },
      { what: 'streams out of order', value: misordered, unit: '', atMost: 0 },
      { what: 'things sent twice', value: doubles, unit: '', atMost: 0 },
      ...(await slowReaders(options.number('slow', 20), roost, rows, memory)),
    ];
  } finally {
    memory.stop();
    await rows.end();
    await roost.stop();
  }
}

/** Of whichever process is the gateway at the moment. */
function watchMemory({ pid }: BenchRoost) {
  let peak = 0;
  const now = () => {
    try {
      return residentBytes(processOf(pid, 'apps/gateway/'));
    } catch {
      return 0; // it is being started again
    }
  };
  const timer = setInterval(() => (peak = Math.max(peak, now())), 250);
  return {
    now,
    peak: () => peak,
    forget: () => (peak = now()),
    stop: () => clearInterval(timer),
  };
}

/** Sends at a steady rate, repeated under the same key until accepted. Gives how many. */
async function sendFor(seconds: number, rate: number, roost: BenchRoost, agentIds: string[]): Promise<number> {
  const count = seconds * rate;
  const begin = Date.now();
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await sleep(begin + (n * 1_000) / rate - Date.now());
      const key = { 'idempotency-key': randomUUID() };
      const path = `/v1/agent/${agentIds[n % agentIds.length]}/messages`;
      const send = () => roost.api('POST', path, { content: `message ${n}` }, key).catch(() => undefined);
      await until('a message is accepted', async () => (await send())?.status === 201, { everyMs: 300 });
    }),
  );
  return count;
}

/** Three times, by kill -9 and by SIGTERM in turn. Gives how long it took until all streams were open again, longest. */
async function restartGateway(roost: BenchRoost, readers: EventReaders, streams: number) {
  const awayMs = { SIGKILL: 0, SIGTERM: 0 };
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    await sleep(3_000);
    const openings = readers.openings + streams;
    const begin = Date.now();
    process.kill(processOf(roost.pid, 'apps/gateway/'), signal);
    await until('all streams are open again', () => readers.openings >= openings);
    awayMs[signal] = Math.max(awayMs[signal], Date.now() - begin);
  }
  return awayMs;
}

/** Readers that stand still while 12 MB come, then read what is there, are sent why they were cut, and resume. */
async function slowReaders(
  count: number,
  roost: BenchRoost,
  rows: pg.Client,
  memory: ReturnType<typeof watchMemory>,
): Promise<Figure[]> {
  const [agentId = ''] = await makeAgents(roost, 1);
  await roost.api('POST', `/v1/agent/${agentId}/pause`);
  await until('it is paused', async () => {
    const { body } = await roost.api<{ status: string }>('GET', `/v1/agent/${agentId}`);
    return body.status === 'paused';
  });
  const url = `${roost.url}/v1/agent/${agentId}/events`;
  const since = await lastRow(rows);
  const lazy = await Promise.all(
    Array.from({ length: count }, () => LazyReader.open(url, { ...authorization(roost) })),
  );
  const before = memory.now();
  memory.forget();
  const contents = Array.from({ length: 120 }, (_, n) => `${n} ${'x'.repeat(99_000)}`);
  for (const content of contents) await roost.api('POST', `/v1/agent/${agentId}/messages`, { content });
  const unreadBytes = count * contents.join('').length;
  await sleep(STANDSTILL_MS);
  const extra = memory.peak() - before;
  const expected = (await eventsSince(rows, since)).get(agentId) ?? [];
  const last = expected.at(-1) ?? '';
  const ends = await Promise.all(
    lazy.map(async (reader) => {
      const first = await reader.read((ids) => ids.includes(last));
      const again = await LazyReader.open(url, { ...authorization(roost), 'last-event-id': first.lastId });
      const rest = first.ids.includes(last) ? [] : (await again.read((ids) => ids.includes(last))).ids;
      const seen = [...first.ids, ...rest].filter((id) => expected.includes(id));
      return { isCut: first.isCut, isExact: seen.join() === expected.join() };
    }),
  );
  return [
    { what: 'readers that stood still', value: count, unit: '' },
    {
      what: 'of them sent why they were cut',
      value: ends.filter(({ isCut }) => isCut).length,
      unit: '',
      atLeast: count,
    },
    {
      what: 'of them without gap or double in the end',
      value: ends.filter(({ isExact }) => isExact).length,
      unit: '',
      atLeast: count,
    },
    { what: 'bytes that they left unread', value: unreadBytes / MEBIBYTE, unit: 'MiB' },
    { what: 'gateway memory more meanwhile', value: extra / MEBIBYTE, unit: 'MiB', atMost: 150 },
  ];
}

async function lastRow(rows: pg.Client): Promise<string> {
  const { rows: found } = await rows.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM messaging.outbox');
  return found[0]?.id ?? '0';
}

async function countAnswered(rows: pg.Client, since: string): Promise<number> {
  const { rows: found } = await rows.query<{ count: string }>(
    `SELECT coalesce(sum(jsonb_array_length(payload->'messages')), 0) AS count FROM messaging.outbox
     WHERE id > $1 AND subject = 'events.messaging.message.completed'`,
    [since],
  );
  return Number(found[0]?.count);
}

/** Durable events by agent, in their order. */
async function eventsSince(rows: pg.Client, since: string): Promise<Map<string, string[]>> {
  const { rows: found } = await rows.query<{ key: string; ids: string[] }>(
    `SELECT key, array_agg(event_id::text ORDER BY id) AS ids FROM messaging.outbox WHERE id > $1 GROUP BY key`,
    [since],
  );
  return new Map(found.map(({ key, ids }) => [key, ids]));
}
