import { runIfMain, startService } from '#lib/bus';
import type { StartService } from '#lib/config';
import { messagingConfig } from './config.js';
import { MessagingModule } from './messaging.module.js';
import { Messaging1795560000000 } from './migrations/messaging-1795560000000.js';

/** Starts the queue: it accepts messages and hands out turns as soon as this resolves. */
export const start: StartService = (env, neighbours) =>
  startService({
    name: 'messaging',
    env,
    neighbours,
    config: messagingConfig,
    module: MessagingModule,
    database: { schema: 'messaging', migrations: [Messaging1795560000000] },
  });

runIfMain(import.meta.url, start, messagingConfig);
