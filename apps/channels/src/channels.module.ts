import { CONFIG } from '#lib/bus';
import { Content, Workspaces } from '#lib/workspace-client';
import { AccountLimits, countRows, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { createAdapters } from './adapters/index.js';
import { ADAPTERS } from './adapters/token.js';
import { Bindings } from './bindings/bindings.js';
import { ChannelsHandlers } from './channels.handlers.js';
import type { Config } from './config.js';
import { Bots } from './connections/bots.js';
import { ChannelStates } from './connections/channel-states.js';
import { Connections } from './connections/connections.js';
import { ReceiveFiles } from './inbound/receive-files.js';
import { ReceiveMessage } from './inbound/receive-message.js';
import { DeliveriesConsumer } from './outbound/deliveries.consumer.js';

/** Chat platforms: who is linked, what they write, what they are shown. */
@Module({
  controllers: [
    ChannelsHandlers,
    quotaUseController('channels', {
      channel_bindings: (database, accountId) => countRows(database, 'bindings', accountId),
    }),
  ],
  providers: [
    { provide: ADAPTERS, inject: [CONFIG], useFactory: (config: Config) => createAdapters(config) },
    AccountLimits,
    Bindings,
    Bots,
    ChannelStates,
    Connections,
    Content,
    DeliveriesConsumer,
    ReceiveFiles,
    ReceiveMessage,
    Workspaces,
  ],
})
export class ChannelsModule {}
