import type { Database } from '#lib/database';
import { LiveGauge, type Logger } from '#lib/observability';
import { EVERY_MINUTE, type SweepDefinition } from '#lib/sweeps';

const offset = new LiveGauge(
  'roost_clock_offset_seconds',
  'By how much the clock of the service is ahead of the database’s; negative where it is behind',
);

/** Deadlines of requests are points of time: whose clock is ahead takes the requests of others for late. */
const TOLD_FROM_MS = 1_000;

/**
 * By how many milliseconds this process's clock is ahead of the database's; negative where it is behind. An answer
 * takes its time: where the clocks may agree it is 0. Errors: SERVICE_UNAVAILABLE.
 */
export async function clockOffsetMs(database: Database): Promise<number> {
  const before = Date.now();
  const [row] = await database.query<{ ms: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
  );
  const after = Date.now();
  const ms = row?.ms ?? before;
  if (ms < before) return before - ms;
  return Math.min(0, after - ms);
}

export function measureClock(database: Database, service: string): () => void {
  return offset.measure(service, async () => (await clockOffsetMs(database)) / 1_000);
}

/** Says in the log when the service's clock differs from the database's, and when it does no more. */
export function clockSweep(service: string, database: Database, logger: Logger): SweepDefinition {
  let isOff = false;
  return {
    ...EVERY_MINUTE,
    atStart: true,
    name: `${service}.clock`,
    async run() {
      const ms = await clockOffsetMs(database);
      const wasOff = isOff;
      isOff = Math.abs(ms) > TOLD_FROM_MS;
      const seconds = Math.round(Math.abs(ms) / 100) / 10;
      if (isOff && !wasOff)
        logger.warn(
          { seconds: ms / 1_000 },
          `the clock here is ${seconds} s ${ms > 0 ? 'ahead of' : 'behind'} PostgreSQL's: requests between services fail, as if they came too late; set the clocks of both machines (NTP)`,
        );
      if (!isOff && wasOff) logger.info('the clock here agrees with that of PostgreSQL again');
    },
  };
}
