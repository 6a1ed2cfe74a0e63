import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { listAgentEvents, listConversations } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { KnownAgents } from '../agents/known-agents.js';
import { listEvents } from '../events/list-events.js';
import { listConversations as findConversations } from './list-conversations.js';

@Controller()
export class ConversationsHandlers {
  constructor(
    private readonly database: Database,
    private readonly agents: KnownAgents,
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
