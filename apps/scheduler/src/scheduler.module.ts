import { Module } from '@nestjs/common';
import { AgentEvents } from './agents/agent-events.js';
import { OutcomeEvents } from './executions/outcome-events.js';
import { FiringWorker } from './firing/firing-worker.js';
import { SchedulesHandlers } from './schedules/schedules.handlers.js';
import { FireTriggerHandler } from './triggers/fire-trigger.handler.js';
import { TriggersHandlers } from './triggers/triggers.handlers.js';

/** Schedules and triggers: what wakes agents, each exactly once and on time. */
@Module({
  controllers: [SchedulesHandlers, TriggersHandlers, FireTriggerHandler],
  providers: [AgentEvents, OutcomeEvents, FiringWorker],
})
export class SchedulerModule {}
