import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { Config } from './config.js';
import { migrations } from './migrations/index.js';
import { WebhookDispatchModule } from './webhook-dispatch.module.js';

export const start: StartService = (env, neighbours) =>
  startService({
    name: 'webhook-dispatch',
    env,
    neighbours,
    config: Config,
    module: WebhookDispatchModule,
    database: { schema: 'webhooks', migrations },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
