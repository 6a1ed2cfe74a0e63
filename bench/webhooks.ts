import { Bus, ownCall } from '#lib/bus';
import { createWebhookEndpoint, updateWebhookEndpoint } from '#lib/contracts';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, startTestServers } from '#lib/testing';
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import PgBoss from 'pg-boss';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { start } from '../apps/webhook-dispatch/src/main.js';
import type { Figure, Options } from './runner/bench.js';
import { median } from './runner/quantile.js';

export const name = 'webhooks';

const CONCURRENCY = 64;
const ROUNDS = 3;

const body = JSON.stringify({
  type: 'message.completed',
  timestamp: new Date().toISOString(),
  data: { text: 'x'.repeat(400) },
});

const perSecond = (count: number, beginMs: number) => (count * 1_000) / (performance.now() - beginMs);

/**
 * Deliveries/s to one receiver on loopback: ours (claim, sign, send, history, health), raw undici, and pg-boss running
 * the same sign-and-send job; in one run, each with the same concurrency. Options: deliveries=5000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const count = options.number('deliveries', 5_000);
  const servers = await startTestServers();
  const receiver = fork(fileURLToPath(new URL('./runner/webhook-receiver.js', import.meta.url)));
  try {
    const [port] = (await once(receiver, 'message')) as [number];
    const url = `http://127.0.0.1:${port}/hook`;
    const rates = { raw: [] as number[], roost: [] as number[], pgBoss: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rates.raw.push(await raw(url, count));
      rates.roost.push(await roost(url, count));
      rates.pgBoss.push(await pgBoss(url, count));
    }
    const [ofRaw, ofRoost, ofPgBoss] = [median(rates.raw), median(rates.roost), median(rates.pgBoss)];
    return [
      { what: `deliveries, ${CONCURRENCY} at a time`, value: ofRoost, unit: '/s' },
      { what: 'raw undici', value: ofRaw, unit: '/s' },
      { what: 'pg-boss', value: ofPgBoss, unit: '/s' },
      { what: 'ratio to raw', value: ofRoost / ofRaw, unit: '', atLeast: 0.4 },
      { what: 'ratio to pg-boss', value: ofRoost / ofPgBoss, unit: '', atLeast: 2 },
    ];
  } finally {
    receiver.disconnect();
    await servers.stop();
  }
}

async function raw(url: string, count: number): Promise<number> {
  const dispatcher = new Agent({ connections: CONCURRENCY });
  const begin = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (sent < count) {
        sent += 1;
        const response = await request(url, { method: 'POST', body, dispatcher });
        await response.body.dump();
      }
    }),
  );
  const rate = perSecond(count, begin);
  await dispatcher.close();
  return rate;
}

async function roost(url: string, count: number): Promise<number> {
  const [database, nats] = await Promise.all([freshDatabase(), freshBus()]);
  const service = await start({
    NATS_URL: nats.url,
    NATS_CREDS: nats.creds,
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
      { url, events: ['*'], agentIds: null, description: null, enabled: false },
      context,
    );
    await rows.query(
      `WITH event AS (
         INSERT INTO events (id, account_id, type, body) SELECT gen_random_uuid(), $1, 'bench', $4 FROM generate_series(1, $3) RETURNING id
       ) INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) SELECT $1, $2, id, 'bench' FROM event`,
      [accountId, endpoint.id, count, body],
    );
    const begin = performance.now();
    await bus.request(updateWebhookEndpoint, { endpointId: endpoint.id, enabled: true }, context);
    for (;;) {
      const [row] = await rows.query<{ left: string }>(
        `SELECT count(*) AS left FROM deliveries WHERE status <> 'succeeded'`,
      );
      if (Number(row?.left) === 0) return perSecond(count, begin);
      await new Promise((done) => setTimeout(done, 50));
    }
  } finally {
    await rows.close();
    await service.stop();
    await bus.connection.close();
    nats.release();
    await database.drop();
  }
}

async function pgBoss(url: string, count: number): Promise<number> {
  const database = await freshDatabase();
  const boss = new PgBoss({ connectionString: database.url, max: 10 });
  boss.on('error', console.error);
  await boss.start();
  await boss.createQueue('webhooks');
  await boss.insert(Array.from({ length: count }, () => ({ name: 'webhooks', data: { url, body } })));
  const dispatcher = new Agent({ connections: CONCURRENCY });
  const signer = new Webhook(randomBytes(32).toString('base64'));
  const begin = performance.now();
  let done = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      boss
        .work<{ url: string; body: string }>(
          'webhooks',
          { batchSize: CONCURRENCY, pollingIntervalSeconds: 0.5 },
          async (jobs) => {
            await Promise.all(
              jobs.map(async ({ id, data }) => {
                const at = new Date();
                const headers = {
                  'content-type': 'application/json',
                  'webhook-id': id,
                  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
                  'webhook-signature': signer.sign(id, at, data.body),
                };
                const response = await request(data.url, { method: 'POST', body: data.body, headers, dispatcher });
                await response.body.dump();
              }),
            );
            done += jobs.length;
            if (jobs.length === CONCURRENCY) boss.notifyWorker(workerId);
            if (done >= count) resolve();
          },
        )
        .then((id) => (workerId = id), reject);
      let workerId = '';
    });
    return perSecond(count, begin);
  } finally {
    await boss.stop({ graceful: false });
    await dispatcher.close();
    await database.drop();
  }
}
