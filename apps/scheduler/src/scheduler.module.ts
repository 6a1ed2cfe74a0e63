import { auditController } from '#lib/audit';
import { RotationAtStart, sealerFrom } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { SchedulerAccountRemoval } from './agents/account-removal.js';
import { AgentsController } from './agents/agents.controller.js';
import { AgentsService } from './agents/agents.service.js';
import { DocumentsController } from './documents/documents.controller.js';
import { ExecutionsController } from './executions/executions.controller.js';
import { FiringMetrics } from './firing/firing-metrics.js';
import { FiringWorker } from './firing/firing-worker.js';
import { Retention } from './firing/retention.js';
import { SchedulesController } from './schedules/schedules.controller.js';
import type { SchedulerConfig } from './config.js';
import { TriggersController } from './triggers/triggers.controller.js';
import { countSchedules } from './schedules/schedules.repository.js';
import { countTriggers, sealedTriggerSecrets } from './triggers/triggers.repository.js';
import { WebhooksController } from './triggers/webhooks.controller.js';

/** Schedules and triggers: what wakes agents, each exactly once and on time. */
@Module({
  controllers: [
    SchedulesController,
    TriggersController,
    WebhooksController,
    AgentsController,
    ExecutionsController,
    DocumentsController,
    auditController('scheduler'),
    quotaUseController('scheduler', {
      schedules: countSchedules,
      triggers: countTriggers,
    }),
  ],
  providers: [
    SchedulerAccountRemoval,
    AccountLimits,
    AgentsService,
    FiringMetrics,
    FiringWorker,
    Retention,
    {
      provide: RotationAtStart,
      inject: [Database, CONFIG, LOGGER],
      useFactory: (database: Database, config: SchedulerConfig, logger: Logger) =>
        new RotationAtStart(database, sealerFrom(config), sealedTriggerSecrets, logger),
    },
  ],
})
export class SchedulerModule {}
