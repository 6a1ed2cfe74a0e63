import { runIfMain, startService, type StartService } from '#lib/bus';
import { messagingConfig } from './config.js';
import { MessagingModule } from './messaging.module.js';
import { migrations } from './migrations/index.js';

/** Starts the queue: it accepts messages and hands out turns as soon as this resolves. */
export const start: StartService = (env, inProcess) =>
  startService({
    name: 'messaging',
    env,
    inProcess,
    config: messagingConfig,
    module: MessagingModule,
    database: { schema: 'messaging', migrations },
  });

export { messagingConfig as config };

runIfMain(import.meta.url, start, messagingConfig);
