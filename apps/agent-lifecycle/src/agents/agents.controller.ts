import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { createAgent, deleteAgent, getAgent, listAgents, summarizeAgent, updateAgent } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { AgentViews } from './agent-views.js';
import { AgentsService } from './agents.service.js';

/** What the users of an account ask of its agents. */
@Controller()
export class AgentsController {
  constructor(
    private readonly agents: AgentsService,
    private readonly views: AgentViews,
  ) {}

  @Handles(createAgent)
  async create(input: z.output<typeof createAgent.input>, context: CallContext) {
    return this.views.show(await this.agents.create(accountOf(context), input));
  }

  @Handles(getAgent)
  get({ agentId }: { agentId: string }, context: CallContext) {
    return this.views.get({ agentId, accountId: accountOf(context) });
  }

  @Handles(listAgents)
  list(input: z.output<typeof listAgents.input>, context: CallContext) {
    return this.views.list(accountOf(context), input);
  }

  @Handles(summarizeAgent)
  summary({ agentId }: { agentId: string }, context: CallContext) {
    return this.views.summary({ agentId, accountId: accountOf(context) });
  }

  @Handles(updateAgent)
  async update({ agentId, ...input }: z.output<typeof updateAgent.input>, context: CallContext) {
    return this.views.show(await this.agents.update(agentId, accountOf(context), input));
  }

  @Handles(deleteAgent)
  async delete({ agentId }: { agentId: string }, context: CallContext) {
    await this.agents.delete({ agentId, accountId: accountOf(context) });
    return { message: 'the agent is deleted', id: agentId };
  }
}
