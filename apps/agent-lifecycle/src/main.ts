import { runIfMain, startService, type StartService } from '#lib/bus';
import { lifecycleConfigSchema } from './config.js';
import { LifecycleModule } from './lifecycle.module.js';
import { migrations } from './migrations/index.js';

/** Starts the service that knows what an agent is, which state it is in, and makes its workspace. */
export const start: StartService = (env, inProcess) =>
  startService({
    name: 'agent-lifecycle',
    env,
    inProcess,
    config: lifecycleConfigSchema,
    module: LifecycleModule,
    hasHealthDetails: true,
    database: { schema: 'lifecycle', migrations },
  });

export { lifecycleConfigSchema as config };

runIfMain(import.meta.url, start, lifecycleConfigSchema);
