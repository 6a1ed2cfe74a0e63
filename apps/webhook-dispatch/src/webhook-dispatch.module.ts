import { auditController } from '#lib/audit';
import { RotationAtStart, sealerFrom } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import { policyOf } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { type Config, POLICY } from './config.js';
import { DeliveriesController } from './deliveries/deliveries.controller.js';
import { DeliveryMetrics } from './deliveries/delivery-metrics.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { DeliveryWorker } from './deliveries/delivery-worker.js';
import { Retention } from './deliveries/retention.js';
import { DispatchAccountRemoval } from './endpoints/account-removal.js';
import { DocumentsController } from './documents/documents.controller.js';
import { DocumentsService } from './documents/documents.service.js';
import { AgentEndpointsService } from './endpoints/agent-endpoints.service.js';
import { EndpointSecrets, sealedEndpointSecrets } from './endpoints/endpoint-secrets.js';
import { EndpointsController } from './endpoints/endpoints.controller.js';
import { countEndpoints } from './endpoints/endpoints.repository.js';
import { EndpointsService } from './endpoints/endpoints.service.js';
import { EventsController } from './events/events.controller.js';

/** Sends webhooks: expands events to deliveries, signs, sends, retries, records the history. */
@Module({
  controllers: [
    EndpointsController,
    DeliveriesController,
    EventsController,
    DocumentsController,
    auditController('webhooks'),
    quotaUseController('webhooks', { webhook_endpoints: countEndpoints }),
  ],
  providers: [
    AccountLimits,
    AgentEndpointsService,
    DeliveriesService,
    DeliveryMetrics,
    DeliveryWorker,
    DispatchAccountRemoval,
    DocumentsService,
    EndpointsService,
    Retention,
    {
      provide: POLICY,
      inject: [CONFIG],
      useFactory: (config: Config) => policyOf(config.ROOST_WEBHOOK_NETWORK),
    },
    {
      provide: EndpointSecrets,
      inject: [CONFIG],
      useFactory: (config: Config) => new EndpointSecrets(sealerFrom(config)),
    },
    {
      provide: RotationAtStart,
      inject: [Database, CONFIG, LOGGER],
      useFactory: (database: Database, config: Config, logger: Logger) =>
        new RotationAtStart(database, sealerFrom(config), sealedEndpointSecrets, logger),
    },
  ],
})
export class WebhookDispatchModule {}
