import { runIfMain, startService, type StartService } from '#lib/bus';
import { ChannelsModule } from './channels.module.js';
import { Config } from './config.js';
import { migrations } from './migrations/index.js';

/** Starts the chat connections: each bot is connected by one replica. */
export const start: StartService = (env, inProcess) =>
  startService({
    name: 'channels',
    env,
    inProcess,
    config: Config,
    module: ChannelsModule,
    database: { schema: 'channels', migrations },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
