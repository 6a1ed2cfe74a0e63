import { agentCreated, agentDeleted, type AgentState, agentStatusChanged } from '#lib/contracts';
import { Consumes } from '#lib/bus';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { recordAgent } from './known-agent.js';

/** Follows whose agents are and whether they can be woken; a deleted agent's automation goes with it. */
@Injectable()
export class AgentEvents {
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
    for (const table of ['executions', 'schedules', 'triggers'])
      await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
  }
}
