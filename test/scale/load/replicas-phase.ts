import { callSideBySide } from '../../../bench/runner/callers.js';
import { authorization, exchange } from '../../../bench/runner/exchange.js';
import { quantile } from '../../../bench/runner/quantile.js';
import type { Sizes } from '../fill/sizes.js';
import { putOff } from '../measure/due.js';
import { processesOf } from '../measure/processes.js';
import { Receiver } from '../measure/receiver.js';
import { tenantsOf } from '../measure/walk.js';
import { startScaled, withClient, withPostgres } from '../scaled-roost.js';
import { setLogging } from '../server-log.js';

export interface Throughput {
  replicas: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time of a message, by service, all of its processes together. */
  cpuMsPerMessage: Map<string, number>;
  /** The process that comes closest to a whole processor, and how close. */
  busiest: string;
  busiestShare: number;
  /** All together, of all processors. */
  machineShare: number;
}

const WARM_UP_MS = 5_000;

/** As many turns as there can be, with so many processes of each service but the gateway, which has one port. */
export async function replicasPhase(
  dataDir: string,
  sizes: Sizes,
  {
    counts,
    seconds,
    callers,
    log,
  }: { counts: number[]; seconds: number; callers: number; log: (line: string) => void },
): Promise<Throughput[]> {
  const found: Throughput[] = [];
  const receiver = await Receiver.start();
  try {
    for (const replicas of counts) {
      await withPostgres(dataDir, (url) =>
        withClient(url, async (database) => {
          await setLogging(database, 'nothing');
          await putOff(database);
        }),
      );
      const roost = await startScaled(dataDir, { replicas });
      try {
        const { tenant, agents } = await withClient(roost.databaseUrl, async (database) => {
          const [tenant] = await tenantsOf(database, roost, sizes);
          if (!tenant) throw new Error('the database is not filled');
          const { rows } = await database.query<{ id: string }>(
            `SELECT id FROM lifecycle.agents WHERE account_id = $1 AND status = 'active' ORDER BY md5(id::text) LIMIT 5000`,
            [tenant.accountId],
          );
          return { tenant, agents: rows.map(({ id }) => id) };
        });
        let next = 0;
        const run = (milliseconds: number) =>
          callSideBySide({ url: roost.url, headers: authorization(tenant), callers, milliseconds }, async (caller) => {
            await exchange(caller, agents[next++ % agents.length] ?? '', 'hello');
          });
        await run(WARM_UP_MS);
        const before = new Map(processesOf(roost.pid).map(({ name, cpuMs }) => [name, cpuMs]));
        const began = performance.now();
        const { times, perSecond } = await run(seconds * 1_000);
        const wallMs = performance.now() - began;
        const used = processesOf(roost.pid).map(({ name, cpuMs }) => ({ name, ms: cpuMs - (before.get(name) ?? 0) }));
        found.push({
          replicas,
          perSecond,
          p50Ms: quantile(times, 0.5),
          p99Ms: quantile(times, 0.99),
          ...shares(used, times.length, wallMs),
        });
        log(`  ${replicas} of each: ${perSecond.toFixed(1)} turns a second`);
      } finally {
        await roost.stop();
      }
    }
  } finally {
    receiver.close();
  }
  return found;
}

function shares(used: { name: string; ms: number }[], messages: number, wallMs: number) {
  const cpuMsPerMessage = new Map<string, number>();
  for (const { name, ms } of used) {
    const service = name.replace(/#\d+$/, '');
    cpuMsPerMessage.set(service, (cpuMsPerMessage.get(service) ?? 0) + ms / messages);
  }
  // PostgreSQL is many processes, of which each may have a processor.
  const busiest = used.filter(({ name }) => name !== 'postgres').sort((a, b) => b.ms - a.ms)[0];
  return {
    cpuMsPerMessage,
    busiest: busiest?.name ?? '',
    busiestShare: (busiest?.ms ?? 0) / wallMs,
    machineShare: used.reduce((sum, { ms }) => sum + ms, 0) / wallMs,
  };
}
