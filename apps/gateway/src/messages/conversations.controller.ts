import { Bus } from '#lib/bus';
import { listConversations, pageQuery, pinConversation, PinnedVersion, RoostError, wire } from '#lib/contracts';
import { Controller, Get, Patch } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const PageQuery = wire(pageQuery);
type PageQuery = z.output<typeof PageQuery>;

const PinBody = wire({ pinnedVersion: PinnedVersion }).meta({
  id: 'PinConversation',
  description: 'To which version.',
});
type PinBody = z.output<typeof PinBody>;

const ConversationParams = AgentParams.extend({
  conversationId: z
    .string()
    .refine((id) => {
      if (id.length > 300) throw new RoostError('NOT_FOUND', 'the agent has no such conversation');
      return true;
    })
    .describe('The conversation’s id, URL-encoded.'),
});
type ConversationParams = z.output<typeof ConversationParams>;

/** spec: messages.md, "conversations" */
@Tag('Messages')
@Controller('v1/agent/:id/conversations')
export class ConversationsController {
  constructor(private readonly bus: Bus) {}

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List conversations',
    description:
      'Messages grouped by who is at the other end: an API caller’s own conversations, chat users, schedules, triggers. Newest activity first.',
    responseDescription: 'A page of conversations.',
    response: listConversations.output,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(PageQuery) query: PageQuery) {
    return this.bus.request(listConversations, { agentId: id, ...query });
  }

  @Patch(':conversationId')
  @Endpoint({
    access: 'account',
    summary: 'Pin a conversation to a version',
    description:
      'That version of the agent’s configuration answers in it from the next turn on, whatever the agent is changed to; null ' +
      'unpins it. A message that names a `version` itself is answered by that. A version that is no longer kept fails its ' +
      'messages: unpin then. Secrets, and the sandbox with its variables, are those of now.',
    responseDescription: 'What the conversation is pinned to.',
    example: { pinned_version: 1 },
    response: pinConversation.output,
    errors: ['NOT_FOUND'],
  })
  pin(@Param(ConversationParams) { id, conversationId }: ConversationParams, @Body(PinBody) body: PinBody) {
    return this.bus.request(pinConversation, { agentId: id, conversationId, ...body });
  }
}
