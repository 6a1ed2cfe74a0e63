import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { createWebhookEndpoint, updateWebhookEndpoint } from '#lib/contracts';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, startTestServers } from '#lib/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { start } from '../apps/webhook-dispatch/src/main.js';
import type { Figure, Options } from './runner/bench.js';
import { type CountingReceiver, startCountingReceiver } from './runner/counting-receiver.js';
import { median } from './runner/quantile.js';

export const name = 'webhooks';

const CONCURRENCY = 64;
const ROUNDS = 3;

const LOOK_MS = 5;

const body = JSON.stringify({
  type: 'message.completed',
  timestamp: new Date().toISOString(),
  data: { text: 'x'.repeat(400) },
});

/**
 * Deliveries/s to one receiver on loopback: ours (claim, sign, send, history, health), raw undici, and pg-boss running
 * the same sign-and-send job; in one run, each with the same concurrency and body. The clock stops when the receiver has
 * all and, for the two that record, nothing is unrecorded. Both of them are planned with statistics, as autovacuum
 * gathers them in any database that is not seconds old. Ratios are the medians of the rounds'. Options: deliveries=20000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const count = options.number('deliveries', 20_000);
  const servers = await startTestServers();
  const receiver = await startCountingReceiver();
  try {
    const rates = { raw: [] as number[], roost: [] as number[], pgBoss: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.raw.push(await raw(receiver, count));
      rates.roost.push(await roost(receiver, count));
      rates.pgBoss.push(await pgBoss(receiver, count));
    }
    const ratioTo = (others: number[]) =>
      median(rates.roost.map((ours, round) => ours / (others[round] ?? Number.NaN)));
    return [
      { what: `deliveries, ${CONCURRENCY} at a time`, value: median(rates.roost), unit: '/s' },
      { what: 'raw undici', value: median(rates.raw), unit: '/s' },
      { what: 'pg-boss', value: median(rates.pgBoss), unit: '/s' },
      { what: 'ratio to raw', value: ratioTo(rates.raw), unit: '', atLeast: 0.4 },
      { what: 'ratio to pg-boss', value: ratioTo(rates.pgBoss), unit: '', atLeast: 2 },
    ];
  } finally {
    receiver.close();
    await servers.stop();
  }
}

/** Deliveries/s from `begin` until the receiver has `count` and `isRecorded` says so. */
async function rate(
  receiver: CountingReceiver,
  count: number,
  begin: () => unknown,
  isRecorded: () => Promise<boolean>,
): Promise<number> {
  const received = receiver.count(count);
  const beganMs = performance.now();
  const begun = Promise.resolve(begin());
  await Promise.all([begun, received]);
  while (!(await isRecorded())) await sleep(LOOK_MS);
  return (count * 1_000) / (performance.now() - beganMs);
}

async function raw(receiver: CountingReceiver, count: number): Promise<number> {
  const dispatcher = new Agent({ connections: CONCURRENCY });
  let sent = 0;
  const sendAll = () =>
    Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        while (sent < count) {
          sent += 1;
          const response = await request(receiver.url, { method: 'POST', body, dispatcher });
          await response.body.dump();
        }
      }),
    );
  try {
    return await rate(receiver, count, sendAll, () => Promise.resolve(true));
  } finally {
    await dispatcher.close();
  }
}

async function roost(receiver: CountingReceiver, count: number): Promise<number> {
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('webhook-dispatch')]);
  const service = await start({
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    DATABASE_URL: database.url,
    ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
    ROOST_WEBHOOK_NETWORK: 'local',
    ROOST_WEBHOOK_CONCURRENCY: String(CONCURRENCY),
  });
  const bus = new Bus(await nats.connect(), 'bench');
  const rows = await Database.open({ url: database.url, schema: 'webhooks', migrations: [], poolSize: 2 });
  try {
    const accountId = randomUUID();
    const context = { ...ownCall('req_bench'), accountId };
    const { endpoint } = await bus.request(
      createWebhookEndpoint,
      { url: receiver.url, events: ['*'], agentIds: null, description: null, enabled: false },
      context,
    );
    await rows.query(
      `WITH event AS (
         INSERT INTO events (id, account_id, type, body) SELECT gen_random_uuid(), $1, 'bench', $4 FROM generate_series(1, $3) RETURNING id
       ) INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) SELECT $1, $2, id, 'bench' FROM event`,
      [accountId, endpoint.id, count, body],
    );
    await rows.query(`ANALYZE`);
    const measured = await rate(
      receiver,
      count,
      () => bus.request(updateWebhookEndpoint, { endpointId: endpoint.id, enabled: true }, context),
      async () => {
        const [row] = await rows.query(`SELECT 1 FROM deliveries WHERE status = 'pending' LIMIT 1`);
        return row === undefined;
      },
    );
    const [recorded] = await rows.query<{ deliveries: string; attempts: string }>(
      `SELECT (SELECT count(*) FROM deliveries WHERE status = 'succeeded') AS deliveries,
         (SELECT count(*) FROM attempts WHERE response_status = 204) AS attempts`,
    );
    requireAll(count, 'deliveries', recorded?.deliveries);
    requireAll(count, 'attempts', recorded?.attempts);
    return measured;
  } finally {
    await rows.close();
    await service.stop();
    await bus.connection.close();
    nats.release();
    await database.drop();
  }
}

async function pgBoss(receiver: CountingReceiver, count: number): Promise<number> {
  const database = await freshDatabase();
  const boss = new PgBoss({ connectionString: database.url, max: 10 });
  boss.on('error', console.error);
  await boss.start();
  await boss.createQueue('webhooks');
  await boss.insert(Array.from({ length: count }, () => ({ name: 'webhooks', data: { url: receiver.url, body } })));
  const rows = new pg.Client({ connectionString: database.url });
  await rows.connect();
  await rows.query('ANALYZE');
  const dispatcher = new Agent({ connections: CONCURRENCY });
  const signer = new Webhook(randomBytes(32).toString('base64'));
  let workerId = '';
  const work = async () => {
    workerId = await boss.work<{ url: string; body: string }>(
      'webhooks',
      { batchSize: CONCURRENCY, pollingIntervalSeconds: 0.5 },
      async (jobs) => {
        await Promise.all(
          jobs.map(async ({ id, data }) => {
            const headers = signedBy(signer, id, data.body);
            const response = await request(data.url, { method: 'POST', body: data.body, headers, dispatcher });
            await response.body.dump();
          }),
        );
        if (jobs.length === CONCURRENCY) boss.notifyWorker(workerId);
      },
    );
  };
  try {
    const measured = await rate(receiver, count, work, async () => {
      const { rowCount } = await rows.query(
        `SELECT 1 FROM pgboss.job WHERE name = 'webhooks' AND state < 'completed' LIMIT 1`,
      );
      return rowCount === 0;
    });
    const { rows: recorded } = await rows.query<{ count: string }>(
      `SELECT count(*) FROM pgboss.job WHERE name = 'webhooks' AND state = 'completed'`,
    );
    requireAll(count, 'jobs', recorded[0]?.count);
    return measured;
  } finally {
    await rows.end();
    await boss.stop({ graceful: false });
    await dispatcher.close();
    await database.drop();
  }
}

/** The headers of a webhook, as we send them. */
function signedBy(signer: Webhook, id: string, text: string): Record<string, string> {
  const at = new Date();
  return {
    'content-type': 'application/json',
    'user-agent': 'Roost-Webhooks/1',
    'webhook-id': `evt_${id}`,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': signer.sign(`evt_${id}`, at, text),
  };
}

function requireAll(expected: number, what: string, recorded: string | undefined): void {
  if (Number(recorded) !== expected) throw new Error(`${recorded} of ${expected} ${what} were recorded`);
}
