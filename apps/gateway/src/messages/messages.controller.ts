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
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams, MessageParams } from '../http/params.js';

const common = { access: 'account', tag: 'Messages' } as const;
const ListQuery = wire(messageListQuery);
const WaitQuery = wire({ wait: z.coerce.number<number | string>().min(0).max(60).default(0) });

/** spec: messages.md */
@Controller('v1/agent/:id/messages')
export class MessagesController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: '',
    summary: 'Send a message',
    params: AgentParams,
    body: NewMessage,
    response: AcceptedMessage,
    status: 201,
    errors: ['NOT_FOUND', 'CONFLICT', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  async send({
    params,
    body,
    idempotencyKey,
  }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof NewMessage>>) {
    if (body.channel !== 'api') await this.requireLinked(params.id, body.channel);
    // Messaging keeps the key with the message: a gateway killed before it noted the result sends nothing twice.
    const dedupe = idempotencyKey === undefined ? {} : { dedupeKey: `api:${idempotencyKey}` };
    return this.bus.request(sendMessage, { agentId: params.id, ...body, ...dedupe });
  }

  /** The reply goes there too: without anybody to show it to, the message is refused before it is queued. */
  private async requireLinked(agentId: string, platform: ChatPlatform): Promise<void> {
    const { linked } = await this.bus.request(getChannelStatus, { agentId, platform });
    if (linked) return;
    throw new RoostError('CONFLICT', `nobody is linked with this agent on ${platform}: link a person there first`, [
      { field: 'channel', reason: 'not_linked' },
    ]);
  }

  @Endpoint({
    ...common,
    method: 'POST',
    path: ':messageId/read',
    summary: 'Mark a reply as read',
    params: MessageParams,
    response: Message,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  read({ params }: Call<z.output<typeof MessageParams>>) {
    return this.bus.request(markMessageRead, { agentId: params.id, messageId: known(params.messageId) });
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: '',
    summary: 'List messages',
    params: AgentParams,
    query: ListQuery,
    response: listMessages.output,
    errors: ['NOT_FOUND'],
  })
  list({ params, query }: Call<z.output<typeof AgentParams>, z.output<typeof ListQuery>>) {
    return this.bus.request(listMessages, { agentId: params.id, ...query });
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: ':messageId',
    summary: 'Get a message, or wait for its replies',
    params: MessageParams,
    query: WaitQuery,
    response: getMessage.output,
    errors: ['NOT_FOUND'],
  })
  get({ params, query }: Call<z.output<typeof MessageParams>, z.output<typeof WaitQuery>>) {
    const messageId = known(params.messageId);
    return this.bus.request(getMessage, { agentId: params.id, messageId, waitSeconds: query.wait });
  }
}

function known(messageId: string): string {
  if (!MessageId.safeParse(messageId).success) throw new RoostError('NOT_FOUND', 'there is no such message');
  return messageId;
}
