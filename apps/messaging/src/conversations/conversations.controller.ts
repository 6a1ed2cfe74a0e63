import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { listAgentEvents, listConversations } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { listConversations as findConversations } from './conversations.repository.js';
import { listEvents } from './events.repository.js';

@Controller()
export class ConversationsController {
  constructor(
    private readonly database: Database,
    private readonly agents: AgentsService,
  ) {}

  @Handles(listConversations)
  async list(query: z.output<typeof listConversations.input>, context: CallContext) {
    await this.agents.require(query.agentId, context);
    return findConversations(this.database, accountOf(context), query);
  }

  @Handles(listAgentEvents)
  async events(query: z.output<typeof listAgentEvents.input>, context: CallContext) {
    await this.agents.require(query.agentId, context);
    return listEvents(this.database, query);
  }
}
