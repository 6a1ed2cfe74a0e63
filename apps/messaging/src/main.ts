import { busEnvironment, databaseEnvironment, type StartService } from '#lib/config';
import { runIfMain, startService } from '#lib/bus';
import { z } from 'zod';
import { MessagingModule } from './messaging.module.js';
import { Messaging1795560000000 } from './migrations/messaging-1795560000000.js';

const config = z.object({ ...busEnvironment, ...databaseEnvironment });

export const start: StartService = (env) =>
  startService({
    name: 'messaging',
    env,
    config,
    module: MessagingModule,
    database: { schema: 'messaging', migrations: [Messaging1795560000000] },
  });

runIfMain(import.meta.url, start, config);
