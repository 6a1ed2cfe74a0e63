import { Bus, Consumes, Handles } from '#lib/bus';
import {
  agentCreated,
  agentDeleted,
  type AgentState,
  agentStatusChanged,
  agentStatusRecorded,
  interruptSubject,
  recordedSubject,
  syncAgent,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { forgetAgent, recordAgent } from './agents.repository.js';

@Controller()
export class AgentsController {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  @Handles(syncAgent)
  async sync(state: AgentState) {
    await this.database.transaction((tx) => this.record(tx, state));
    return { accepted: true };
  }

  @Consumes(agentCreated)
  async onCreated(state: AgentState, tx: Transaction) {
    await this.record(tx, state);
  }

  @Consumes(agentStatusChanged)
  async onStatusChanged(state: z.output<typeof agentStatusChanged.payload>, tx: Transaction) {
    await this.record(tx, state);
    // After the agent's row was locked: the ids of its events are the order of their commits.
    await tx.record(agentStatusRecorded, state, state.agentId);
    tx.afterCommit(() => this.bus.hint(recordedSubject(state.agentId)));
  }

  @Consumes(agentDeleted)
  async onDeleted({ agentId, accountId, revision }: z.output<typeof agentDeleted.payload>, tx: Transaction) {
    await forgetAgent(tx, agentId, accountId, revision);
    tx.afterCommit(() => this.bus.signal(interruptSubject(agentId)));
  }

  private async record(tx: Transaction, state: AgentState): Promise<void> {
    const { mustInterrupt } = await recordAgent(tx, state);
    tx.afterCommit(() => {
      if (mustInterrupt) this.bus.signal(interruptSubject(state.agentId));
      // What was queued while the agent was paused can be claimed now.
      if (state.status === 'active') this.bus.signal(WAKE_RUNTIME);
    });
  }
}
