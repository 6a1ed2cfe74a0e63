import { auditController } from '#lib/audit';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { AgentsController } from './agents/agents.controller.js';
import { AgentsService } from './agents/agents.service.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { CredentialApprovals } from './approvals/credentials.service.js';
import { BudgetsController } from './budgets/budgets.controller.js';
import { ConversationsController } from './conversations/conversations.controller.js';
import { MessagesController } from './messages/messages.controller.js';
import { MessagesService } from './messages/messages.service.js';
import { SendBatcher } from './messages/send-batcher.js';
import { FinishedMessages } from './messages/finished-messages.js';
import { countWaiting } from './messages/messages.repository.js';
import { WaitingQuota } from './messages/waiting-quota.js';
import { Retention } from './turns/retention.js';
import { RunsController } from './runs/runs.controller.js';
import { LeaseSweep } from './turns/lease-sweep.js';
import { QueueMetrics } from './turns/queue-metrics.js';
import { TurnsController } from './turns/turns.controller.js';

@Module({
  controllers: [
    AgentsController,
    ApprovalsController,
    BudgetsController,
    ConversationsController,
    MessagesController,
    RunsController,
    TurnsController,
    auditController('messaging'),
    quotaUseController('messaging', { messages_waiting: countWaiting }),
  ],
  providers: [
    AccountLimits,
    AgentsService,
    ApprovalsService,
    CredentialApprovals,
    MessagesService,
    SendBatcher,
    FinishedMessages,
    LeaseSweep,
    Retention,
    QueueMetrics,
    WaitingQuota,
  ],
})
export class MessagingModule {}
