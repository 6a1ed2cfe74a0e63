import { Bus, type RunningService } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { agentCreated, createSchedule, listScheduleExecutions, sendMessage } from '#lib/contracts';
import { Database } from '#lib/database';
import { serve } from '#lib/rpc';
import { freshBus, freshDatabase, publishEvent, until } from '#lib/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { start } from '../src/main.js';
import { migrations } from '../src/migrations/index.js';

export type SchedulerFixture = Awaited<ReturnType<typeof schedulerFixture>>;

/** Three replicas of the service on a database and a bus of their own, one agent that they know, and a double of messaging. */
export async function schedulerFixture() {
  const accountId = randomUUID();
  const agentId = randomUUID();
  const [database, nats] = await Promise.all([freshDatabase(), freshBus('scheduler')]);
  const bus = new Bus(await nats.connect(), 'tester');
  const messaging = messagingDouble(bus);
  const env = {
    NATS_URL: nats.url,
    NATS_CREDS: nats.serviceCreds,
    DATABASE_URL: database.url,
    ROOST_MASTER_KEY: randomBytes(32).toString('base64'),
  };
  const replicas: RunningService[] = [];
  while (replicas.length < 3) replicas.push(await start(env));
  const rows = await Database.open({ url: database.url, schema: 'scheduler', migrations, poolSize: 2 });
  const state = { agentId, accountId, status: 'active' as const, revision: 1 };
  await publishEvent(bus.connection, agentCreated, state);
  await until('the agent is known', async () => (await rows.query(`SELECT 1 FROM agents`)).length === 1);

  const call = (account = accountId) => ({ ...ownCall('req_test'), accountId: account });
  const schedule = (
    more: { cronExpression?: string; messageTemplate?: string; timezone?: string; overlap?: 'skip' } = {},
  ) =>
    bus.request(
      createSchedule,
      {
        ...{ agentId, name: 'daily', cronExpression: '0 0 * * *', messageTemplate: '{{schedule.name}} {{date}}' },
        ...{ timezone: 'UTC', enabled: true, queueMode: 'collect', overlap: 'queue', catchUp: 'all', ...more },
      },
      call(),
    );
  const executionsOf = async (scheduleId: string) =>
    (await bus.request(listScheduleExecutions, { agentId, scheduleId, page: 1, limit: 100 }, call())).executions;

  return {
    ...{ accountId, agentId, bus, rows, call, schedule, executionsOf, messaging },
    async stop() {
      for (const replica of replicas) await replica.stop();
      await rows.close();
      await bus.connection.close();
      nats.release();
      await database.drop();
    },
  };
}

/** One message per dedupe key, as messaging does it. */
function messagingDouble(bus: Bus) {
  const sent = new Map<string, { id: string; content: string; conversationId: string }>();
  const double = { sent, sends: 0 };
  serve(
    bus.connection,
    sendMessage,
    sendMessage.subject,
    (message) => {
      double.sends++;
      const key = message.dedupeKey ?? randomUUID();
      const known = sent.get(key) ?? { id: `msg_${randomUUID()}`, ...message };
      sent.set(key, known);
      const { content, metadata, channel, queueMode, conversationId } = message;
      return {
        ...{ id: known.id, role: 'user' as const, status: 'pending' as const, createdAt: new Date() },
        ...{ content, metadata, channel, queueMode, conversationId },
      };
    },
    () => undefined,
  );
  return double;
}
