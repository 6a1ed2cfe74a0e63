import { Database } from '#lib/database';
import { until } from '#lib/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { sumUp, sweepUsage } from '../../../apps/agent-lifecycle/src/usage/usage.repository.js';
import { sweepDeletedAgents } from '../../../apps/agent-lifecycle/src/agents/agents.repository.js';
import { sweepLedger } from '../../../apps/agent-lifecycle/src/balance/balance.repository.js';
import { deleteOld } from '../../../apps/agent-runtime/src/sessions/retention.repository.js';
import { claimDelivery, openDeliveries } from '../../../apps/channels/src/outbound/deliveries.repository.js';
import { dueInbound } from '../../../apps/channels/src/inbound/inbound-events.repository.js';
import { takeLease } from '../../../apps/channels/src/connections/leases.repository.js';
import { sweepExecutions } from '../../../apps/scheduler/src/executions/executions.repository.js';
import {
  deleteOldDeliveries,
  deleteOldEvents,
} from '../../../apps/webhook-dispatch/src/deliveries/deliveries.repository.js';
import { cancelAbandoned } from '../../../apps/webhook-dispatch/src/deliveries/queue.repository.js';
import { BOTS, PLATFORM } from '../fill/channels.js';
import type { Sizes } from '../fill/sizes.js';
import { makeDeliveriesDue, makeSchedulesDue, putOff } from '../measure/due.js';
import { scrapeMetrics } from '../measure/metrics.js';
import { Receiver } from '../measure/receiver.js';
import { tenantsOf, walk } from '../measure/walk.js';
import { removeServerLog, setLogging } from '../server-log.js';
import { startScaled, withClient, withPostgres } from '../scaled-roost.js';
import { collectPlans, type Statement } from './collect-plans.js';

const BATCH = 5_000;
/** In it each sweep of a minute runs. */
const SWEEPS_MS = 85_000;

/** Has every path run once while PostgreSQL writes down each plan with its rows, and gives the statements. */
export async function planPhase(
  dataDir: string,
  sizes: Sizes,
  log: (line: string) => void,
): Promise<{ statements: Statement[]; failures: string[] }> {
  const failures: string[] = [];
  await withPostgres(dataDir, (url) =>
    withClient(url, async (database) => {
      await setLogging(database, 'plans');
      await putOff(database);
    }),
  );
  removeServerLog(dataDir);
  const receiver = await Receiver.start();
  try {
    const roost = await startScaled(dataDir, { env: { ROOST_METRICS_PORT: '0' } });
    try {
      const begun = Date.now();
      await withClient(roost.databaseUrl, async (database) => {
        for (const tenant of await tenantsOf(database, roost, sizes)) {
          failures.push(...(await walk(tenant)));
          log(`  walked as the ${tenant.name} account`);
        }
        const events = await makeDeliveriesDue(database, 100);
        await makeSchedulesDue(database, 20);
        await until('deliveries arrive', () => events.every((id) => receiver.arrivals.has(`evt_${id}`)), {
          timeoutMs: 60_000,
        });
      });
      await scrapeMetrics(dataDir);
      await runHourly(roost.databaseUrl, sizes);
      log('  retention has run');
      await sleep(Math.max(0, SWEEPS_MS - (Date.now() - begun)));
    } finally {
      await roost.stop();
    }
  } finally {
    receiver.close();
  }
  return withPostgres(dataDir, (url) =>
    withClient(url, async (database) => {
      await setLogging(database, 'nothing');
      return { statements: await collectPlans(dataDir, database), failures };
    }),
  );
}

/** What services do once an hour, and what channels does for a bot that is connected. */
async function runHourly(url: string, { deliveries, accounts }: Sizes): Promise<void> {
  const of = async (schema: string, work: (database: Database) => Promise<unknown>) => {
    const database = await Database.open({ url, schema, migrations: [], poolSize: 1 });
    try {
      await work(database);
    } finally {
      await database.close();
    }
  };
  await of('lifecycle', async (database) => {
    await database.transaction(sumUp);
    await sweepUsage(database, 400);
    await sweepLedger(database);
    await sweepDeletedAgents(database);
  });
  await of('runtime', async (database) => {
    for (const what of ['transcript', 'sessions', 'attempts', 'unfinishedTurns'] as const)
      await deleteOld(database, what, 90, undefined);
  });
  await of('scheduler', (database) => sweepExecutions(database));
  await of('webhooks', async (database) => {
    await database.transaction((tx) => cancelAbandoned(tx, BATCH));
    await deleteOldDeliveries(database, BATCH);
    await deleteOldEvents(database, BATCH);
  });
  await of('channels', async (database) => {
    const bot = `bot-${Math.min(BOTS, accounts, deliveries) - 1}`;
    const lease = await takeLease(database, PLATFORM, bot, '00000000-0000-4000-8000-000000000001');
    if (lease) await claimDelivery(database, lease, 'text');
    await dueInbound(database, PLATFORM, bot, [], 10);
    await openDeliveries(database);
  });
}
