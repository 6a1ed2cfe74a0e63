import { Bus } from '#lib/bus';
import { accountOf, type CallContext, ownCall } from '#lib/call-context';
import { type AgentState, getAgentState, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { recordAgent } from './record-agent.js';

/**
 * SQL for what is read of the agent `$1`: whether `KnownAgents.require` has to be asked as well. A deleted agent looks
 * stopped, and its messages are still there, until its event is here.
 */
export const MAY_BE_GONE = `(SELECT status = 'stopped' FROM agents WHERE agent_id = $1) AS may_be_gone`;

/** The projection of lifecycle's agents, filled on demand where an event has not arrived yet. */
@Injectable()
export class KnownAgents {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /** Throws NOT_FOUND unless the agent exists and is the account's. */
  async require(agentId: string, context: CallContext): Promise<void> {
    const accountId = accountOf(context);
    const [row] = await this.database.query<{ account_id: string; status: string }>(
      `SELECT account_id, status FROM agents WHERE agent_id = $1`,
      [agentId],
    );
    if (row && (row.status === 'deleted' || row.account_id !== accountId)) throw unknownAgent();
    // Stopped is also what a deleted agent looks like until its event is here.
    if (row && row.status !== 'stopped') return;
    const state = await this.learn(agentId);
    if (state.accountId !== accountId) throw unknownAgent();
  }

  /** Asks lifecycle for an agent that no event told of yet. Errors: NOT_FOUND, SERVICE_UNAVAILABLE. */
  async learn(agentId: string): Promise<AgentState> {
    const state = await this.bus.request(getAgentState, { agentId }, ownCall(`learn_${agentId}`, 3_000));
    await this.database.transaction((tx) => recordAgent(tx, state));
    return state;
  }
}

export const unknownAgent = () => new RoostError('NOT_FOUND', 'there is no such agent');
