import { RotationAtStart, sealerFrom } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import { policyOf } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { AccountLimits, countRows, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import type { Config } from './config.js';
import { DeliveriesHandlers } from './deliveries/deliveries.handlers.js';
import { DeliveryWorker } from './deliveries/delivery-worker.js';
import { Retention } from './deliveries/retention.js';
import { AgentEndpoints } from './endpoints/agent-endpoints.js';
import { EndpointSecrets, sealedEndpointSecrets } from './endpoints/endpoint-secrets.js';
import { ForgetAccount } from './endpoints/forget-account.js';
import { ENDPOINTS_THAT_COUNT, EndpointsHandlers } from './endpoints/endpoints.handlers.js';
import { EventsHandlers } from './events/events.handlers.js';
import { POLICY } from './policy.js';

/** Tells the user's systems what happened: expands events to deliveries, signs, sends, retries, keeps history. */
@Module({
  controllers: [
    EndpointsHandlers,
    DeliveriesHandlers,
    EventsHandlers,
    quotaUseController('webhooks', {
      webhook_endpoints: (database, accountId) => countRows(database, 'endpoints', accountId, ENDPOINTS_THAT_COUNT),
    }),
  ],
  providers: [
    ForgetAccount,
    AccountLimits,
    AgentEndpoints,
    DeliveryWorker,
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
