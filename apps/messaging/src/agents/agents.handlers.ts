import {
  agentCreated,
  agentDeleted,
  type AgentState,
  agentStatusChanged,
  interruptSubject,
  syncAgent,
} from '#lib/contracts';
import { Bus, Consumes, Handles } from '#lib/bus';
import { Database, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { WAKE_RUNTIME } from '#lib/contracts';
import { recordAgent } from './agent-projection.js';

/** Follows what lifecycle says of agents. */
@Controller()
export class AgentsHandlers {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  @Handles(syncAgent)
  async sync(state: AgentState) {
    await this.database.transaction((tx) => this.apply(tx, state));
    return { accepted: true };
  }

  @Consumes(agentCreated)
  async onCreated(state: AgentState, tx: Transaction) {
    await this.apply(tx, state);
  }

  @Consumes(agentStatusChanged)
  async onStatusChanged(event: z.output<typeof agentStatusChanged.payload>, tx: Transaction) {
    await this.apply(tx, event);
  }

  @Consumes(agentDeleted)
  async onDeleted({ agentId }: z.output<typeof agentDeleted.payload>, tx: Transaction) {
    for (const table of ['messages', 'turns', 'conversations', 'agents'])
      await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
    tx.afterCommit(() => this.bus.signal(interruptSubject(agentId)));
  }

  /** A stopped agent's turn is cancelled, its messages return to the queue; an active one's queue goes on. */
  private async apply(tx: Transaction, state: AgentState) {
    await recordAgent(tx, state);
    if (state.status === 'active') tx.afterCommit(() => this.bus.signal(WAKE_RUNTIME));
    if (state.status !== 'stopped' && state.status !== 'error') return;
    const cancelled = await tx.query<{ id: string }>(
      `UPDATE turns SET state = 'released', fencing_token = fencing_token + 1, ended_at = now()
       WHERE agent_id = $1 AND state = 'running' AND EXISTS (SELECT 1 FROM agents WHERE agent_id = $1 AND revision = $2) RETURNING id`,
      [state.agentId, state.revision],
    );
    for (const { id } of cancelled) {
      await tx.query(
        `UPDATE messages SET status = 'pending', turn_id = NULL, delivered_at = NULL WHERE turn_id = $1 AND role = 'user'`,
        [id],
      );
      tx.afterCommit(() => this.bus.signal(interruptSubject(state.agentId)));
    }
  }
}
