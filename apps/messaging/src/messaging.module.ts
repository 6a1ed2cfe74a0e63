import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { AgentsHandlers } from './agents/agents.handlers.js';
import { KnownAgents } from './agents/known-agents.js';
import { ConversationsHandlers } from './conversations/conversations.handlers.js';
import { MessagesHandlers } from './messages/messages.handlers.js';
import { SendBatcher } from './messages/send-batcher.js';
import { SettledMessages } from './messages/settled-messages.js';
import { countWaiting, WaitingQuota } from './messages/waiting-quota.js';
import { LeaseSweep } from './turns/lease-sweep.js';
import { QueueMetrics } from './turns/queue-metrics.js';
import { TurnsHandlers } from './turns/turns.handlers.js';

@Module({
  controllers: [
    AgentsHandlers,
    ConversationsHandlers,
    MessagesHandlers,
    TurnsHandlers,
    quotaUseController('messaging', { messages_waiting: countWaiting }),
  ],
  providers: [AccountLimits, KnownAgents, SendBatcher, SettledMessages, LeaseSweep, QueueMetrics, WaitingQuota],
})
export class MessagingModule {}
