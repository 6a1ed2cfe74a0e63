import { until } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Pool } from 'undici';
import { quantile } from '../../../bench/runner/quantile.js';
import type { Sizes } from '../fill/sizes.js';
import { makeDeliveriesDue, makeSchedulesDue, putOff } from '../measure/due.js';
import { areRead } from '../measure/latencies.js';
import { Receiver } from '../measure/receiver.js';
import { processesOf } from '../measure/processes.js';
import { tenantsOf } from '../measure/walk.js';
import { startScaled, withClient, withPostgres } from '../scaled-roost.js';
import { setLogging } from '../server-log.js';

/** The state of the database, once a minute. */
export interface Sample {
  minute: number;
  sent: number;
  /** In this minute, in ms. */
  sendMs: number[];
  listMs: number[];
  unpublished: number;
  oldestUnpublishedSeconds: number;
  oldestDueSeconds: number;
  oldestReadySeconds: number;
  /** That retention should have removed, and has had five minutes for. */
  oldRows: number;
  deadRows: number;
  /** The table with the largest part of dead rows among those that have many. */
  worstTable: string | null;
  worstShare: number;
  databaseBytes: number;
  memoryBytes: number;
}

export interface LoadResult {
  samples: Sample[];
  rate: number;
  verdicts: { rule: string; seen: string; isKept: boolean }[];
}

const MINUTE_MS = 60_000;
/** What retention finds at the begin: events and inbox rows of a day that is over. */
const OLD_ROWS = 200_000;
const MANY_DEAD = 50_000;
const DRAIN_MS = 120_000;

/**
 * So many messages and lists a second for so long, with schedules that fire and webhooks that go out, and what becomes of
 * the tables meanwhile.
 */
export async function loadPhase(
  dataDir: string,
  sizes: Sizes,
  { minutes, rate, log }: { minutes: number; rate: number; log: (line: string) => void },
): Promise<LoadResult> {
  await withPostgres(dataDir, (url) =>
    withClient(url, async (database) => {
      await setLogging(database, 'nothing');
      await putOff(database);
      await database.query(AGED, [OLD_ROWS]);
    }),
  );
  const receiver = await Receiver.start();
  try {
    const roost = await startScaled(dataDir);
    try {
      return await withClient(roost.databaseUrl, async (database) => {
        const [tenant] = await tenantsOf(database, roost, sizes);
        if (!tenant) throw new Error('the database is not filled');
        const load = new Load(roost.url, tenant.apiKey, await agentsOf(database, tenant.accountId));
        const samples: Sample[] = [];
        for (let minute = 1; minute <= minutes; minute += 1) {
          const end = Date.now() + MINUTE_MS;
          while (Date.now() < end) {
            const second = Date.now() + 1_000;
            for (let n = 0; n < rate; n += 1) load.send();
            for (let n = 0; n < rate; n += 1) load.list(n);
            if (samples.length % 2 === 0) await makeSchedulesDue(database, 1);
            await makeDeliveriesDue(database, 2);
            await sleep(Math.max(0, second - Date.now()));
          }
          const sample = await sampleOf(database, roost.pid, minute, load);
          samples.push(sample);
          log(
            `  minute ${minute} of ${minutes}: ${sample.sent} sent, ${sample.unpublished} events unpublished, ${sample.oldRows} rows too old, ${sample.deadRows} dead`,
          );
        }
        await load.end();
        const areAnswered = await until('all are answered', () => areRead(database, load.ids), {
          timeoutMs: DRAIN_MS,
          everyMs: 500,
        }).then(
          () => true,
          () => false,
        );
        const last = await sampleOf(database, roost.pid, minutes, load);
        return { samples, rate, verdicts: verdictsOf(samples, last, load, areAnswered) };
      });
    } finally {
      await roost.stop();
    }
  } finally {
    receiver.close();
  }
}

class Load {
  readonly ids: string[] = [];
  readonly failures: string[] = [];
  sendMs: number[] = [];
  listMs: number[] = [];
  private readonly pool: Pool;
  private readonly open = new Set<Promise<void>>();
  private next = 0;

  constructor(
    url: string,
    private readonly apiKey: string,
    private readonly agents: string[],
  ) {
    this.pool = new Pool(url, { connections: 64, pipelining: 1 });
  }

  send(): void {
    const path = `/v1/agent/${this.agents[this.next++ % this.agents.length]}/messages`;
    const body = JSON.stringify({ content: 'hello' });
    this.begin(this.sendMs, async () => {
      const { status, text } = await this.request('POST', path, body);
      if (status === 201) this.ids.push((JSON.parse(text) as { id: string }).id);
      else this.failures.push(`POST ${path} gave ${status} ${text.slice(0, 200)}`);
    });
  }

  list(n: number): void {
    const agent = this.agents[(this.next + n) % this.agents.length];
    const path = [`/v1/agent/${agent}/messages`, '/v1/agent/list', `/v1/agent/${agent}/conversations`][n % 3] ?? '';
    this.begin(this.listMs, async () => {
      const { status, text } = await this.request('GET', path);
      if (status !== 200) this.failures.push(`GET ${path} gave ${status} ${text.slice(0, 200)}`);
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.open);
    await this.pool.close();
  }

  private begin(times: number[], call: () => Promise<void>): void {
    const began = performance.now();
    const done = call()
      .catch((error: unknown) => void this.failures.push(String(error)))
      .finally(() => {
        times.push(performance.now() - began);
        this.open.delete(done);
      });
    this.open.add(done);
  }

  private async request(
    method: 'GET' | 'POST',
    path: string,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    const headers = { authorization: `Bearer ${this.apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await this.pool.request({ method, path, headers, ...(body ? { body } : {}) });
    return { status: response.statusCode, text: await response.body.text() };
  }
}

async function agentsOf(database: pg.Client, accountId: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT id FROM lifecycle.agents WHERE account_id = $1 AND status = 'active' ORDER BY md5(id::text) LIMIT 20000`,
    [accountId],
  );
  return rows.map(({ id }) => id);
}

async function sampleOf(database: pg.Client, pid: number, minute: number, load: Load): Promise<Sample> {
  const { rows } = await database.query<Omit<Sample, 'minute' | 'sent' | 'sendMs' | 'listMs' | 'memoryBytes'>>(SAMPLE);
  const [sendMs, listMs] = [load.sendMs.splice(0), load.listMs.splice(0)];
  const memoryBytes = processesOf(pid).reduce((sum, { bytes }) => sum + bytes, 0);
  if (!rows[0]) throw new Error('a sample is a row');
  return { minute, sent: load.ids.length, sendMs, listMs, memoryBytes, ...rows[0] };
}

const AGED = `
  WITH events AS (
    INSERT INTO messaging.outbox (id, subject, key, payload, created_at, published_at) OVERRIDING SYSTEM VALUE
    SELECT (SELECT least(min(id), 0) FROM messaging.outbox) - n, 'events.messaging.turn.started', 'aged', '{}'::jsonb,
      now() - interval '2 days', now() - interval '2 days' FROM generate_series(1, $1::int) AS n
  )
  INSERT INTO scheduler.inbox (consumer, event_id, received_at)
  SELECT 'scheduler', gen_random_uuid(), now() - interval '8 days' FROM generate_series(1, $1::int)`;

const SCHEMAS = ['gateway', 'lifecycle', 'messaging', 'runtime', 'scheduler', 'webhooks', 'channels'];
const WITH_OUTBOX = SCHEMAS.map((schema) => `SELECT created_at, published_at FROM ${schema}.outbox`);

const SAMPLE = `
  SELECT
    (SELECT count(*)::int FROM (${WITH_OUTBOX.map((each) => `${each} WHERE published_at IS NULL`).join(' UNION ALL ')}) o) AS "unpublished",
    (SELECT coalesce(max(extract(epoch FROM now() - created_at)), 0)::float8
      FROM (${WITH_OUTBOX.map((each) => `${each} WHERE published_at IS NULL`).join(' UNION ALL ')}) o) AS "oldestUnpublishedSeconds",
    (SELECT coalesce(max(extract(epoch FROM now() - due_at)), 0)::float8 FROM webhooks.queue WHERE is_due) AS "oldestDueSeconds",
    (SELECT coalesce(max(extract(epoch FROM now() - next_at)), 0)::float8 FROM messaging.agents
      WHERE next_at IS NOT NULL AND running_turn IS NULL AND status = 'active') AS "oldestReadySeconds",
    (SELECT count(*)::int FROM messaging.outbox WHERE created_at < now() - interval '24 hours 5 minutes' AND published_at IS NOT NULL)
      + (SELECT count(*)::int FROM scheduler.inbox WHERE received_at < now() - interval '7 days 5 minutes') AS "oldRows",
    (SELECT sum(n_dead_tup)::float8 FROM pg_stat_user_tables) AS "deadRows",
    worst.name AS "worstTable", worst.share AS "worstShare", pg_database_size('postgres')::float8 AS "databaseBytes"
  FROM (SELECT 1) one LEFT JOIN LATERAL (
    SELECT schemaname || '.' || relname AS name, n_dead_tup::float8 / greatest(n_live_tup, 1) AS share
    FROM pg_stat_user_tables WHERE n_dead_tup > ${MANY_DEAD} ORDER BY 2 DESC LIMIT 1
  ) worst ON true`;

function verdictsOf(samples: Sample[], last: Sample, load: Load, areAnswered: boolean): LoadResult['verdicts'] {
  const p99 = (some: Sample[]) =>
    quantile(
      some.flatMap(({ sendMs }) => sendMs),
      0.99,
    );
  const part = Math.max(1, Math.floor(samples.length / 6));
  const [first, late] = [p99(samples.slice(0, part)), p99(samples.slice(-part))];
  const rules: [rule: string, seen: string, isKept: boolean][] = [
    ['every call has its answer', load.failures[0] ?? `${load.ids.length} messages`, load.failures.length === 0],
    ['every message is read within two minutes of the end', areAnswered ? 'all' : 'not all', areAnswered],
    [
      'the last sixth of the time sends as fast as the first: p99 at most twice as long',
      `${first.toFixed(0)} → ${late.toFixed(0)} ms`,
      late <= 2 * first,
    ],
    [
      'no event waits longer than 10 s to be published, at the end',
      `${last.unpublished} wait, the oldest for ${last.oldestUnpublishedSeconds.toFixed(1)} s`,
      last.oldestUnpublishedSeconds <= 10,
    ],
    [
      'no delivery is due for longer than 10 s, at the end',
      `${last.oldestDueSeconds.toFixed(1)} s`,
      last.oldestDueSeconds <= 10,
    ],
    [
      'retention leaves nothing that has been too old for five minutes',
      `${last.oldRows} rows of ${2 * OLD_ROWS}`,
      last.oldRows === 0,
    ],
    [
      `vacuum keeps up: no table with over ${MANY_DEAD} dead rows has more than 30 % of them`,
      last.worstTable === null ? 'none' : `${last.worstTable} ${(100 * last.worstShare).toFixed(0)} %`,
      last.worstTable === null || last.worstShare <= 0.3,
    ],
  ];
  return rules.map(([rule, seen, isKept]) => ({ rule, seen, isKept }));
}
