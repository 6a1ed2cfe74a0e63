import { sendMessage } from '#lib/contracts';
import { Bus } from '#lib/bus';
import { serve } from '#lib/rpc';
import { Database } from '#lib/database';
import { freshBus, freshDatabase, startTestServers } from '#lib/testing';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { migrations } from '../apps/scheduler/src/migrations/index.js';
import type { Figure, Options } from './runner/bench.js';

export const name = 'scheduler';

/**
 * Firing under load and under kill -9, with a stand-in for messaging. Options: schedules=100000, rate=1000, seconds=20,
 * kills=0. With kills, three replicas run and one of them is killed and replaced every so often; at the end every slot
 * must have one execution and one message. Lateness: from the slot until the message was queued.
 */
export async function run(options: Options): Promise<Figure[]> {
  const schedules = options.number('schedules', 100_000);
  const rate = options.number('rate', 1_000);
  const seconds = options.number('seconds', 20);
  const kills = options.number('kills', 0);

  const servers = await startTestServers();
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('scheduler')]);
  const bus = new Bus(await nats.connect(), 'bench');
  const rows = await Database.open({
    url: database.url,
    schema: 'scheduler',
    migrations,
    poolSize: 2,
  });
  const messages = new Map<string, string>();
  let sends = 0;
  serve(
    bus.connection,
    sendMessage,
    sendMessage.subject,
    ({ content, metadata, channel, queueMode, conversationId, dedupeKey = '' }) => {
      sends++;
      const id = messages.get(dedupeKey) ?? `msg_${randomUUID()}`;
      messages.set(dedupeKey, id);
      return {
        id,
        role: 'user' as const,
        status: 'pending' as const,
        createdAt: new Date(),
        content,
        metadata,
        channel,
        queueMode,
        conversationId,
      };
    },
    console.error,
  );
  const main = fileURLToPath(new URL('../apps/scheduler/src/main.js', import.meta.url));
  const { PATH, HOME } = process.env;
  const env = {
    ...{ PATH, HOME, NATS_URL: nats.url, NATS_CREDS: nats.serviceCreds, DATABASE_URL: database.url },
    ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
  };
  const spawnReplica = () => spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const replicas: ChildProcess[] = [];

  try {
    // Slots on whole milliseconds spread over each second; the rest of the schedules is due far away.
    await rows.query(
      `INSERT INTO schedules (id, account_id, agent_id, name, cron_expression, message_template, timezone, enabled, queue_mode, overlap, catch_up, next_run_at)
     SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'bench', '0 0 1 1 *', '{{date}} {{time}}', 'Europe/Berlin', true, 'collect', 'queue', 'all',
       CASE WHEN n < $2::int * $3::int THEN now() + interval '${leadSeconds} seconds' + n * interval '1 second' / $2::int ELSE now() + interval '30 days' END
     FROM generate_series(0, $1::int - 1) AS n`,
      [schedules, rate, seconds],
    );
    await rows.query(`ANALYZE schedules`);
    for (let replica = 0; replica < (kills > 0 ? 3 : 1); replica++) replicas.push(spawnReplica());
    const until = Date.now() + (leadSeconds + seconds + 5) * 1_000;
    for (let kill = 0; kill < kills; kill++) {
      await new Promise((done) => setTimeout(done, Math.max(0, (until - Date.now()) / (kills - kill + 1))));
      replicas[kill % 3]?.kill('SIGKILL');
      replicas[kill % 3] = spawnReplica();
    }
    return await report(until + 60_000);
  } finally {
    const exits = replicas.map((replica) => new Promise((resolve) => replica.once('exit', resolve)));
    for (const replica of replicas) replica.kill('SIGTERM');
    await Promise.all(exits);
    await rows.close();
    await bus.connection.close();
    nats.release();
    await database.drop();
    await servers.stop();
  }

  async function report(deadline: number): Promise<Figure[]> {
    const due = rate * seconds;
    for (;;) {
      const [row] = await rows.query<{ executions: number; slots: number; messages: number; late_ms: number[] }>(
        `SELECT count(*)::int AS executions, count(DISTINCT (schedule_id, slot))::int AS slots,
         count(DISTINCT message_id)::int AS messages,
         percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - slot) * 1000) AS late_ms
       FROM executions`,
      );
      if (row?.messages !== due && Date.now() < deadline) {
        await new Promise((done) => setTimeout(done, 500));
        continue;
      }
      if (row?.executions !== due || row.messages !== due || messages.size !== due)
        throw new Error(`of ${due} slots ${row?.executions} were executed and ${messages.size} messages queued`);
      const [p50 = 0, p99 = 0, longest = 0] = row.late_ms;
      return [
        { what: `slots executed once, with ${kills} kills`, value: row.slots, unit: `of ${due}` },
        { what: 'messages sent, repeats included', value: sends, unit: '' },
        { what: `lateness at ${rate}/s of ${schedules} schedules, p50`, value: p50, unit: 'ms' },
        { what: 'lateness, p99', value: p99, unit: 'ms' },
        { what: 'lateness, longest', value: longest, unit: 'ms' },
      ];
    }
  }
}

const leadSeconds = 5;
