import { Bus } from '#lib/bus';
import { listConversations, pageQuery, wire } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import type { z } from 'zod';
import { Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const PageQuery = wire(pageQuery);
type PageQuery = z.output<typeof PageQuery>;

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
}
