import { Consumes } from '#lib/bus';
import { agentDeleted, type AgentState } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { deleteRowsOfAgent } from './agents.repository.js';

/** A deleted agent leaves nothing behind here. */
@Injectable()
export class AgentRemoval {
  @Consumes(agentDeleted)
  onDeleted({ agentId }: Pick<AgentState, 'agentId'>, tx: Transaction): Promise<void> {
    return deleteRowsOfAgent(tx, agentId);
  }
}
