import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { schedulerConfigSchema } from './config.js';
import { Scheduler1795570000000 } from './migrations/scheduler-1795570000000.js';
import { SchedulerModule } from './scheduler.module.js';

export const start: StartService = (env, neighbours) =>
  startService({
    name: 'scheduler',
    env,
    neighbours,
    config: schedulerConfigSchema,
    module: SchedulerModule,
    database: { schema: 'scheduler', migrations: [Scheduler1795570000000] },
  });

runIfMain(import.meta.url, start, schedulerConfigSchema);
