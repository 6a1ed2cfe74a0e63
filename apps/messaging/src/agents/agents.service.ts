import { Bus } from '#lib/bus';
import { accountOf, type CallContext, ownCall } from '#lib/call-context';
import { type AgentState, getAgentState, getVersion, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { findAgent, recordAgent, unknownAgent } from './agents.repository.js';

/** The copy of lifecycle's agents, filled on demand where an event has not arrived yet. */
@Injectable()
export class AgentsService {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /** Throws NOT_FOUND unless the agent exists and is the account's. */
  async require(agentId: string, context: CallContext): Promise<void> {
    const accountId = accountOf(context);
    const row = await findAgent(this.database, agentId);
    if (row && (row.status === 'deleted' || row.account_id !== accountId)) throw unknownAgent();
    // Stopped is also what a deleted agent looks like until its event is here.
    if (row && row.status !== 'stopped') return;
    const state = await this.fetch(agentId);
    if (state.accountId !== accountId) throw unknownAgent();
  }

  /** Whether the agent has this version of its configuration. Errors: NOT_FOUND (the agent), VALIDATION_ERROR naming `field`. */
  async requireVersion(agentId: string, version: number, context: CallContext, field: string): Promise<void> {
    try {
      await this.bus.request(getVersion, { agentId, version });
    } catch (error) {
      if (!(error instanceof RoostError && error.code === 'NOT_FOUND')) throw error;
      await this.require(agentId, context);
      const message = `the agent has no version ${version}, or it is no longer kept`;
      throw new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [{ field, reason: 'unknown_version', message }]);
    }
  }

  /** Asks lifecycle for an agent whose event has not arrived yet. Errors: NOT_FOUND, SERVICE_UNAVAILABLE. */
  async fetch(agentId: string): Promise<AgentState> {
    const state = await this.bus.request(getAgentState, { agentId }, ownCall(`learn_${agentId}`, 3_000));
    await this.database.transaction((tx) => recordAgent(tx, state));
    return state;
  }
}
