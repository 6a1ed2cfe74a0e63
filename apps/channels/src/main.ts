import { runIfMain, startService, type StartService } from '#lib/bus';
import { ChannelsModule } from './channels.module.js';
import { Config } from './config.js';
import { BindingQuota1795900000000 } from './migrations/binding-quota-1795900000000.js';
import { Channels1795570000000 } from './migrations/channels-1795570000000.js';
import { Files1795580000000 } from './migrations/files-1795580000000.js';
import { Memories1795590000000 } from './migrations/memories-1795590000000.js';

import { RefusedDeliveries1795910000000 } from './migrations/refused-deliveries-1795910000000.js';

/** Starts the chat connections: each bot is connected by one replica. */
export const start: StartService = (env, inProcess) =>
  startService({
    name: 'channels',
    env,
    inProcess,
    config: Config,
    module: ChannelsModule,
    database: {
      schema: 'channels',
      migrations: [
        Channels1795570000000,
        Files1795580000000,
        Memories1795590000000,
        BindingQuota1795900000000,
        RefusedDeliveries1795910000000,
      ],
    },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
