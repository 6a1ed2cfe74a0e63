import { RotationAtStart, sealerFrom } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { AccountLimits, countRows, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { AgentEvents } from './agents/agent-events.js';
import { ForgetAccount } from './agents/forget-account.js';
import { OutcomeEvents } from './executions/outcome-events.js';
import { FiringWorker } from './firing/firing-worker.js';
import { SchedulesHandlers } from './schedules/schedules.handlers.js';
import type { SchedulerConfig } from './config.js';
import { FireTriggerHandler } from './triggers/fire-trigger.handler.js';
import { sealedTriggerSecrets } from './triggers/trigger-row.js';
import { TriggersHandlers } from './triggers/triggers.handlers.js';

/** Schedules and triggers: what wakes agents, each exactly once and on time. */
@Module({
  controllers: [
    SchedulesHandlers,
    TriggersHandlers,
    FireTriggerHandler,
    quotaUseController('scheduler', {
      schedules: (database, accountId) => countRows(database, 'schedules', accountId),
      triggers: (database, accountId) => countRows(database, 'triggers', accountId),
    }),
  ],
  providers: [
    ForgetAccount,
    AccountLimits,
    AgentEvents,
    OutcomeEvents,
    FiringWorker,
    {
      provide: RotationAtStart,
      inject: [Database, CONFIG, LOGGER],
      useFactory: (database: Database, config: SchedulerConfig, logger: Logger) =>
        new RotationAtStart(database, sealerFrom(config), sealedTriggerSecrets, logger),
    },
  ],
})
export class SchedulerModule {}
