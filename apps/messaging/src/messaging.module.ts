import { Module } from '@nestjs/common';
import { AgentsHandlers } from './agents/agents.handlers.js';
import { MessagesHandlers } from './messages/messages.handlers.js';
import { ReplyWaiters } from './messages/reply-waiters.js';
import { TurnsHandlers } from './turns/turns.handlers.js';

/** The queue: accepts messages, orders them, hands out batches under a lease, records replies. */
@Module({ controllers: [AgentsHandlers, MessagesHandlers, TurnsHandlers], providers: [ReplyWaiters] })
export class MessagingModule {}
