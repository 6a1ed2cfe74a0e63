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
import { Body, DedupeKey, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams, MessageParams } from '../http/params.js';

const ListQuery = wire(messageListQuery);
type ListQuery = z.output<typeof ListQuery>;
const WaitQuery = wire({
  wait: z.coerce
    .number<number | string>()
    .min(0)
    .max(60)
    .default(0)
    .describe('Most seconds to wait for a reply: up to 60.'),
});
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
    description:
      'Puts a message into the agent’s queue. 201 means that it is on disk: it will be answered once, whatever is killed in between. The answer comes later: wait for it with `GET …/messages/{id}?wait=30`, follow `GET …/events`, or have a webhook sent. A paused agent takes messages and answers them when it is resumed; a stopped one, or one in error, refuses them (503). Send an `Idempotency-Key`, so that a repeated request is one message. 409: nobody is linked on `channel`.',
    responseDescription: 'The message is in the queue.',
    response: AcceptedMessage,
    status: 201,
    errors: ['NOT_FOUND', 'CONFLICT', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  async send(
    @Param(AgentParams) { id }: AgentParams,
    @Body(NewMessage) body: NewMessage,
    @DedupeKey() dedupeKey: string | undefined,
  ) {
    if (body.channel !== 'api') await this.requireLinked(id, body.channel);
    // Messaging keeps the key with the message: a gateway killed before it noted the result sends nothing twice.
    const dedupe = dedupeKey === undefined ? {} : { dedupeKey: `api:${dedupeKey}` };
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
    description:
      'For inboxes: lowers `unread_count` of the conversation. Reading a reply does not mark it by itself. Again changes nothing; a message that is no reply is 409.',
    responseDescription: 'The reply.',
    response: Message,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  read(@Param(MessageParams) { id, messageId }: MessageParams) {
    return this.bus.request(markMessageRead, { agentId: id, messageId: known(messageId) });
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List messages',
    description:
      'Oldest first; without a cursor the newest `limit`. To page back, give the id of the first message as `before`; to go on, that of the last one as `after`.',
    responseDescription: 'Messages of the agent.',
    response: listMessages.output,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(ListQuery) query: ListQuery) {
    return this.bus.request(listMessages, { agentId: id, ...query });
  }

  @Get(':messageId')
  @Endpoint({
    access: 'account',
    summary: 'Get a message, or wait for its replies',
    description:
      'With `wait` it answers as soon as there is a reply or an error, or when the seconds are over: then `replies` is empty, and it can be asked again. `waiting_for` of the message says why it is still pending.',
    responseDescription: 'The message and its replies.',
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
