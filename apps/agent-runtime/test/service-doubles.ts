import {
  type ChannelEntry,
  type Conversation,
  createSchedule,
  deleteSchedule,
  listChannels,
  listConversations,
  listSchedules,
  paginationOf,
  postMessage,
  type RequestContract,
  RoostError,
  type Schedule,
} from '#lib/contracts';
import { type Handler, serve } from '#lib/rpc';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';

/** What the platform tools ask of the scheduler, the channels and messaging's conversations, kept in memory. */
export class ServiceDoubles {
  readonly schedules = new Map<string, Schedule>();
  readonly posted = new Map<string, z.output<typeof postMessage.input>>();
  conversations: Conversation[] = [];
  channels: ChannelEntry[] = [];

  constructor(private readonly connection: NatsConnection) {
    this.on(createSchedule, (schedule) => this.create(schedule));
    this.on(listSchedules, ({ page, limit }) => ({
      schedules: [...this.schedules.values()],
      pagination: paginationOf(Number(page), Number(limit), this.schedules.size),
    }));
    this.on(deleteSchedule, ({ scheduleId }) => {
      if (!this.schedules.delete(scheduleId)) throw new RoostError('NOT_FOUND', 'there is no such schedule');
      return { message: 'schedule deleted' };
    });
    this.on(listConversations, ({ page, limit }) => ({
      conversations: this.conversations,
      pagination: paginationOf(Number(page), Number(limit), this.conversations.length),
    }));
    this.on(listChannels, () => ({ channels: this.channels }));
    this.on(postMessage, (post) => {
      const key = post.dedupeKey ?? randomUUID();
      if (!this.posted.has(key)) this.posted.set(key, post);
      return {
        id: `msg_${randomUUID()}`,
        role: 'assistant' as const,
        content: post.content,
        metadata: {},
        status: 'delivered' as const,
        channel: post.channel ?? ('api' as const),
        queueMode: null,
        conversationId: post.conversationId,
        replyToId: null,
        createdAt: new Date(),
        deliveredAt: new Date(),
        readAt: null,
        error: null,
      };
    });
  }

  /** A conversation with somebody else, as the tools see it. */
  knows(id: string, channel: Conversation['channel'], name: string): void {
    this.conversations.push({
      id,
      channel,
      counterparty: { id: name, displayName: name },
      messageCount: 1,
      unreadCount: 0,
      lastMessage: null,
      pinnedVersion: null,
      createdAt: new Date(),
      updatedAt: new Date(),
    });
  }

  private create({ agentId, ...fields }: z.output<typeof createSchedule.input>): Schedule {
    if (fields.cronExpression.split(' ').length < 5)
      throw new RoostError('VALIDATION_ERROR', 'cron_expression: must have five fields');
    const id = randomUUID();
    const now = new Date();
    const dates = { lastRunAt: null, nextRunAt: now, createdAt: now, updatedAt: now };
    const schedule = { uuid: id, id, agentUuid: agentId, ...fields, ...dates };
    this.schedules.set(id, schedule);
    return schedule;
  }

  private on<I extends z.ZodType, O extends z.ZodType>(contract: RequestContract<I, O>, handle: Handler<I, O>): void {
    serve(this.connection, contract, contract.subject, handle, (error) => console.error(error));
  }
}
