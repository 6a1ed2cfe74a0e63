import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { schedulerConfigSchema } from './config.js';
import { migrations } from './migrations/index.js';
import { SchedulerModule } from './scheduler.module.js';

export const start: StartService = (env, neighbours) =>
  startService({
    name: 'scheduler',
    env,
    neighbours,
    config: schedulerConfigSchema,
    module: SchedulerModule,
    database: { schema: 'scheduler', migrations },
  });

export { schedulerConfigSchema as config };

runIfMain(import.meta.url, start, schedulerConfigSchema);
