import { Consumes } from '#lib/bus';
import { agentCreated, agentDeleted, type AgentState, agentStatusChanged } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { deleteAutomation, recordAgent } from './agents.repository.js';

/** Follows whose agents are and whether they can be woken; a deleted agent's automation is deleted with it. */
@Controller()
export class AgentsController {
  @Consumes(agentCreated)
  async onCreated(state: AgentState, tx: Transaction) {
    await recordAgent(tx, state);
  }

  @Consumes(agentStatusChanged)
  async onStatusChanged(state: z.output<typeof agentStatusChanged.payload>, tx: Transaction) {
    await recordAgent(tx, state);
  }

  @Consumes(agentDeleted)
  async onDeleted({ agentId, accountId, revision }: z.output<typeof agentDeleted.payload>, tx: Transaction) {
    await recordAgent(tx, { agentId, accountId, revision, status: 'deleted' });
    await deleteAutomation(tx, agentId);
  }
}
