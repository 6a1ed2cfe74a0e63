import { runIfMain, startService, type StartService } from '#lib/bus';
import { Config } from './config.js';
import { migrations } from './migrations/index.js';
import { WebhookDispatchModule } from './webhook-dispatch.module.js';

export const start: StartService = (env, inProcess) =>
  startService({
    name: 'webhook-dispatch',
    env,
    inProcess,
    config: Config,
    module: WebhookDispatchModule,
    database: { schema: 'webhooks', migrations },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
