import { auditController } from '#lib/audit';
import { CONFIG } from '#lib/bus';
import { Content, Workspaces } from '#lib/workspace-client';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { createAdapters } from './adapters/index.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { ApprovalCards } from './approvals/cards.service.js';
import { ApprovalDecisions } from './approvals/decisions.service.js';
import { ApprovalFollowUps } from './approvals/follow-ups.js';
import { ADAPTERS } from './adapters/channel-adapter.js';
import { countBindings } from './bindings/bindings.repository.js';
import { ChannelsController } from './channels.controller.js';
import { ChannelsService } from './channels.service.js';
import type { Config } from './config.js';
import { AgentsController } from './connections/agents.controller.js';
import { BotsService } from './connections/bots.service.js';
import { ChannelStatesService } from './connections/channel-states.service.js';
import { ConnectionsService } from './connections/connections.service.js';
import { ReceiveFilesService } from './inbound/receive-files.service.js';
import { ReceiveMessageService } from './inbound/receive-message.service.js';
import { LinkCodesService } from './links/link-codes.service.js';
import { DeliveryMetrics } from './outbound/delivery-metrics.js';
import { DeliveriesController } from './outbound/deliveries.controller.js';
import { Retention } from './outbound/retention.js';
import { UnconnectedBots } from './outbound/unconnected-bots.js';

/** Chat platforms: who is linked, what they write, what they are shown. */
@Module({
  controllers: [
    AgentsController,
    ApprovalsController,
    ChannelsController,
    DeliveriesController,
    auditController('channels'),
    quotaUseController('channels', { channel_bindings: countBindings }),
  ],
  providers: [
    { provide: ADAPTERS, inject: [CONFIG], useFactory: (config: Config) => createAdapters(config) },
    AccountLimits,
    ...[ApprovalCards, ApprovalDecisions, ApprovalFollowUps],
    BotsService,
    ChannelsService,
    ChannelStatesService,
    ConnectionsService,
    Content,
    DeliveryMetrics,
    LinkCodesService,
    ReceiveFilesService,
    ReceiveMessageService,
    Retention,
    UnconnectedBots,
    Workspaces,
  ],
})
export class ChannelsModule {}
