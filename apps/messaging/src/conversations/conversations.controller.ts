import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { listAgentEvents, listConversations, pinConversation } from '#lib/contracts';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import { listConversations as findConversations, pinConversation as pinned } from './conversations.repository.js';
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

  /** The version is known to be there: a turn with one that is not would fail. */
  @Handles(pinConversation)
  async pin(input: z.output<typeof pinConversation.input>, context: CallContext) {
    const { agentId, pinnedVersion } = input;
    await this.agents.require(agentId, context);
    if (pinnedVersion !== null) await this.agents.requireVersion(agentId, pinnedVersion, context, 'pinned_version');
    return pinned(this.database, accountOf(context), input);
  }

  @Handles(listAgentEvents)
  async events(query: z.output<typeof listAgentEvents.input>, context: CallContext) {
    await this.agents.require(query.agentId, context);
    return listEvents(this.database, query);
  }
}
