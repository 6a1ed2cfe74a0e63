import { until } from '#lib/testing';
import type pg from 'pg';
import { callSideBySide } from '../../../bench/runner/callers.js';
import { authorization } from '../../../bench/runner/exchange.js';
import type { Sizes } from '../fill/sizes.js';
import { startScaled, withClient, withPostgres } from '../scaled-roost.js';
import { removeServerLog, setLogging } from '../server-log.js';
import { makeSchedulesDue, putOff } from './due.js';
import { scrapeMetrics } from './metrics.js';
import { processesOf } from './processes.js';
import { Receiver } from './receiver.js';
import { statementTimes } from './statement-times.js';
import { type Tenant, tenantsOf } from './walk.js';

export interface Measured {
  /** By what was done; each time in ms. */
  times: Map<string, number[]>;
  startMs: number;
  /** Of each process after its start, in bytes. */
  memory: Map<string, number>;
  databaseBytes: number;
}

const TIMEOUT_MS = 120_000;

/** The same on whatever a data folder is filled with: one caller, one call after the other. */
export async function measureLatencies(
  dataDir: string,
  sizes: Sizes,
  { calls, log }: { calls: number; log: (line: string) => void },
): Promise<Measured> {
  await withPostgres(dataDir, (url) =>
    withClient(url, async (database) => {
      await setLogging(database, 'durations');
      await putOff(database);
    }),
  );
  removeServerLog(dataDir);
  const times = new Map<string, number[]>();
  const receiver = await Receiver.start();
  const measured: Measured = { times, startMs: 0, memory: new Map(), databaseBytes: 0 };
  try {
    const began = performance.now();
    const roost = await startScaled(dataDir, { env: { ROOST_METRICS_PORT: '0' } });
    measured.startMs = performance.now() - began;
    measured.memory = new Map(processesOf(roost.pid).map(({ name, bytes }) => [name, bytes]));
    try {
      await withClient(roost.databaseUrl, async (database) => {
        const since = new Date();
        const { rows } = await database.query<{ bytes: string }>(`SELECT pg_database_size('postgres') AS bytes`);
        measured.databaseBytes = Number(rows[0]?.bytes);
        for (const tenant of await tenantsOf(database, roost, sizes)) {
          const paths = await pathsOf(database, tenant);
          for (const [what, path] of Object.entries(paths)) {
            const target = { url: roost.url, headers: authorization(tenant), callers: 1 };
            const get = async (count: number) =>
              callSideBySide({ ...target, count }, async (caller) => {
                const { status, body } = await caller.get(path);
                if (status !== 200) throw new Error(`GET ${path} gave ${status} ${body}`);
              });
            // The first calls plan; what is measured is what follows.
            await get(10);
            times.set(`${what} (${tenant.name} account)`, (await get(calls)).times);
          }
          times.set(`send (${tenant.name} account)`, await sendTimes(database, roost.url, tenant, calls));
          log(`  measured as the ${tenant.name} account`);
        }
        times.set('fire: slot → message', await fireTimes(database));
        times.set('dispatch: event → received', await dispatchTimes(database, receiver, since));
        log('  fired and dispatched');
      });
      times.set('metrics of one process', [...(await scrapeMetrics(dataDir)).values()]);
    } finally {
      await roost.stop();
    }
  } finally {
    receiver.close();
  }
  await withPostgres(dataDir, (url) => withClient(url, (database) => setLogging(database, 'nothing')));
  for (const [name, each] of statementTimes(dataDir)) if (each.length > 0) times.set(name, each);
  removeServerLog(dataDir);
  return measured;
}

async function pathsOf(database: pg.Client, { agentId, agents }: Tenant): Promise<Record<string, string>> {
  const of = `WHERE agent_id = '${agentId}'`;
  const { rows } = await database.query<{ deep: string | null; conversations: number }>(
    `SELECT (SELECT id FROM messaging.messages ${of} ORDER BY seq LIMIT 1 OFFSET (SELECT count(*) / 2 FROM messaging.messages ${of})) AS deep,
       (SELECT count(*)::int FROM messaging.conversations ${of}) AS conversations`,
  );
  const { deep, conversations } = rows[0] ?? { deep: null, conversations: 0 };
  const page = (count: number) => Math.max(1, Math.floor(count / 50));
  return {
    'list: agents, first page': '/v1/agent/list?limit=50',
    'list: agents, last page': `/v1/agent/list?limit=50&page=${page(agents)}`,
    'list: messages, newest': `/v1/agent/${agentId}/messages?limit=50`,
    ...(deep ? { 'list: messages, from the middle': `/v1/agent/${agentId}/messages?limit=50&before=${deep}` } : {}),
    'list: conversations, first page': `/v1/agent/${agentId}/conversations?limit=50`,
    'list: conversations, last page': `/v1/agent/${agentId}/conversations?limit=50&page=${page(conversations)}`,
    'list: runs': `/v1/agent/${agentId}/runs?limit=50`,
    'list: webhook deliveries': '/v1/webhooks/deliveries?limit=50',
    quotas: '/v1/account/quotas',
  };
}

/** Each to another agent of the account, as far as it has so many; all are answered before the next thing is measured. */
async function sendTimes(database: pg.Client, url: string, tenant: Tenant, calls: number): Promise<number[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT a.id FROM scale.agents a JOIN lifecycle.agents l USING (id) WHERE a.account_id = $1 AND status = 'active' LIMIT $2`,
    [tenant.accountId, calls],
  );
  let next = 0;
  const ids: string[] = [];
  const target = { url, headers: authorization(tenant), callers: 1, count: calls };
  const { times } = await callSideBySide(target, async (caller) => {
    const sent = await caller.post(`/v1/agent/${rows[next++ % rows.length]?.id}/messages`, { content: 'hello' });
    if (sent.status !== 201) throw new Error(`a message was not accepted: ${sent.status} ${sent.body}`);
    ids.push((JSON.parse(sent.body) as { id: string }).id);
  });
  await until('all are answered', () => areRead(database, ids), { timeoutMs: TIMEOUT_MS, everyMs: 200 });
  return times;
}

export async function areRead(database: pg.Client, ids: string[]): Promise<boolean> {
  const { rows } = await database.query(
    `SELECT 1 FROM messaging.messages WHERE id = ANY($1::text[]) AND status <> 'read' LIMIT 1`,
    [ids],
  );
  return rows.length === 0;
}

/** From the instant at which a schedule is due until its message is stored, in ms. */
async function fireTimes(database: pg.Client): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const due = await makeSchedulesDue(database, 20);
    const ids = due.map(({ id }) => id);
    const since = new Date(Math.min(...due.map(({ slot }) => slot.getTime())) - 1);
    const fired = async () => {
      const { rows } = await database.query<{ ms: number }>(
        `SELECT extract(epoch FROM m.created_at - e.slot)::float8 * 1000 AS ms
         FROM scheduler.executions e JOIN messaging.messages m ON m.id = e.message_id
         WHERE e.schedule_id = ANY($1::uuid[]) AND e.slot >= $2`,
        [ids, since],
      );
      return rows.map(({ ms }) => ms);
    };
    await until('schedules fire', async () => (await fired()).length >= ids.length, {
      timeoutMs: TIMEOUT_MS,
      everyMs: 100,
    });
    times.push(...(await fired()));
  }
  return times;
}

/** From the instant at which an event of the messages above was stored for its receivers until it is at one, in ms. */
async function dispatchTimes(database: pg.Client, receiver: Receiver, since: Date): Promise<number[]> {
  const { rows } = await database.query<{ id: string; at: Date }>(
    `SELECT e.id, e.created_at AS at FROM webhooks.events e WHERE e.created_at >= $1
       AND EXISTS (SELECT FROM webhooks.deliveries d WHERE d.event_id = e.id)`,
    [since],
  );
  const arrivedAt = (id: string) => receiver.arrivals.get(`evt_${id}`);
  await until('webhooks arrive', () => rows.every(({ id }) => arrivedAt(id)), { timeoutMs: TIMEOUT_MS });
  return rows.map(({ id, at }) => (arrivedAt(id) ?? 0) - at.getTime());
}
