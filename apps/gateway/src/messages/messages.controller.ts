import { Bus } from '#lib/bus';
import {
  AcceptedMessage,
  type ChatPlatform,
  getChannelStatus,
  getMessage,
  listMessages,
  markMessageRead,
  Message,
  messageListQuery,
  MessageId,
  NewMessage,
  RoostError,
  sendMessage,
  wire,
} from '#lib/contracts';
import { Controller, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, IdempotencyKey, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams, MessageParams } from '../http/params.js';

const ListQuery = wire(messageListQuery);
type ListQuery = z.output<typeof ListQuery>;
const WaitQuery = wire({ wait: z.coerce.number<number | string>().min(0).max(60).default(0) });
type WaitQuery = z.output<typeof WaitQuery>;

/** spec: messages.md */
@Tag('Messages')
@Controller('v1/agent/:id/messages')
export class MessagesController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Send a message',
    response: AcceptedMessage,
    status: 201,
    errors: ['NOT_FOUND', 'CONFLICT', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  async send(
    @Param(AgentParams) { id }: AgentParams,
    @Body(NewMessage) body: NewMessage,
    @IdempotencyKey() idempotencyKey: string | undefined,
  ) {
    if (body.channel !== 'api') await this.requireLinked(id, body.channel);
    // Messaging keeps the key with the message: a gateway killed before it noted the result sends nothing twice.
    const dedupe = idempotencyKey === undefined ? {} : { dedupeKey: `api:${idempotencyKey}` };
    return this.bus.request(sendMessage, { agentId: id, ...body, ...dedupe });
  }

  /** The reply goes there too: without anybody to show it to, the message is refused before it is queued. */
  private async requireLinked(agentId: string, platform: ChatPlatform): Promise<void> {
    const { linked } = await this.bus.request(getChannelStatus, { agentId, platform });
    if (linked) return;
    throw new RoostError('CONFLICT', `nobody is linked with this agent on ${platform}: link a person there first`, [
      { field: 'channel', reason: 'not_linked' },
    ]);
  }

  @Post(':messageId/read')
  @Endpoint({
    access: 'account',
    summary: 'Mark a reply as read',
    response: Message,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  read(@Param(MessageParams) { id, messageId }: MessageParams) {
    return this.bus.request(markMessageRead, { agentId: id, messageId: known(messageId) });
  }

  @Get()
  @Endpoint({ access: 'account', summary: 'List messages', response: listMessages.output, errors: ['NOT_FOUND'] })
  list(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery) {
    return this.bus.request(listMessages, { agentId: id, ...query });
  }

  @Get(':messageId')
  @Endpoint({
    access: 'account',
    summary: 'Get a message, or wait for its replies',
    response: getMessage.output,
    errors: ['NOT_FOUND'],
  })
  get(@Param(MessageParams) { id, messageId }: MessageParams, @Query(WaitQuery) query: WaitQuery) {
    return this.bus.request(getMessage, { agentId: id, messageId: known(messageId), waitSeconds: query.wait });
  }
}

function known(messageId: string): string {
  if (!MessageId.safeParse(messageId).success) throw new RoostError('NOT_FOUND', 'there is no such message');
  return messageId;
}
