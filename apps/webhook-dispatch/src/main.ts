import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { Config } from './config.js';
import { Webhooks1795560000000 } from './migrations/webhooks-1795560000000.js';
import { WebhookDispatchModule } from './webhook-dispatch.module.js';

export const start: StartService = (env, neighbours) =>
  startService({
    name: 'webhook-dispatch',
    env,
    neighbours,
    config: Config,
    module: WebhookDispatchModule,
    database: { schema: 'webhooks', migrations: [Webhooks1795560000000] },
  });

runIfMain(import.meta.url, start, Config);
