import { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { getAgentState } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { findAgent, recordAgent, unknownAgent } from './agents.repository.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /** Makes sure that the agent is the account's; lifecycle is asked for one whose event is not here yet. Errors: NOT_FOUND. */
  async require(agentId: string, accountId: string): Promise<void> {
    const agent = (await findAgent(this.database, agentId)) ?? (await this.fetch(agentId));
    if (agent.account_id !== accountId || agent.status === 'deleted') throw unknownAgent();
  }

  private async fetch(agentId: string) {
    const state = await this.bus.request(getAgentState, { agentId }, ownCall(`req_find_${agentId}`, 5_000));
    await recordAgent(this.database, state);
    return { account_id: state.accountId, status: state.status };
  }
}
