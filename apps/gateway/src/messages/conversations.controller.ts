import { Bus } from '#lib/bus';
import { listConversations, pageQuery, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const PageQuery = wire(pageQuery);

/** spec: messages.md, "conversations" */
@Controller('v1/agent/:id/conversations')
export class ConversationsController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    method: 'GET',
    path: '',
    access: 'account',
    tag: 'Messages',
    summary: 'List conversations',
    params: AgentParams,
    query: PageQuery,
    response: listConversations.output,
    errors: ['NOT_FOUND'],
  })
  list({ params, query }: Call<z.output<typeof AgentParams>, z.output<typeof PageQuery>>) {
    return this.bus.request(listConversations, { agentId: params.id, ...query });
  }
}
