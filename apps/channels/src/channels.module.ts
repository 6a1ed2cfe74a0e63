import { CONFIG } from '#lib/bus';
import { Module } from '@nestjs/common';
import { createAdapters } from './adapters/index.js';
import { ADAPTERS } from './adapters/token.js';
import { Bindings } from './bindings/bindings.js';
import { ChannelsHandlers } from './channels.handlers.js';
import type { Config } from './config.js';
import { Bots } from './connections/bots.js';
import { Connections } from './connections/connections.js';
import { ReceiveMessage } from './inbound/receive-message.js';
import { DeliveriesConsumer } from './outbound/deliveries.consumer.js';

/** Chat platforms: who is linked, what they write, what they are shown. */
@Module({
  controllers: [ChannelsHandlers],
  providers: [
    { provide: ADAPTERS, inject: [CONFIG], useFactory: (config: Config) => createAdapters(config) },
    Bindings,
    Bots,
    Connections,
    DeliveriesConsumer,
    ReceiveMessage,
  ],
})
export class ChannelsModule {}
