import { runIfMain, startService, type StartService } from '#lib/bus';
import { schedulerConfigSchema } from './config.js';
import { migrations } from './migrations/index.js';
import { SchedulerModule } from './scheduler.module.js';

export const start: StartService = (env, inProcess) =>
  startService({
    name: 'scheduler',
    env,
    inProcess,
    config: schedulerConfigSchema,
    module: SchedulerModule,
    database: { schema: 'scheduler', migrations },
  });

export { schedulerConfigSchema as config };

runIfMain(import.meta.url, start, schedulerConfigSchema);
