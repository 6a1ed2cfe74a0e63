import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { lifecycleConfigSchema } from './config.js';
import { LifecycleModule } from './lifecycle.module.js';
import { migrations } from './migrations/index.js';

/** Starts the service that knows what an agent is, which state it is in, and makes its workspace. */
export const start: StartService = (env, neighbours) =>
  startService({
    name: 'agent-lifecycle',
    env,
    neighbours,
    config: lifecycleConfigSchema,
    module: LifecycleModule,
    hasHealthDetails: true,
    database: { schema: 'lifecycle', migrations },
  });

export { lifecycleConfigSchema as config };

runIfMain(import.meta.url, start, lifecycleConfigSchema);
