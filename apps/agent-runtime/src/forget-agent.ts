import { Consumes } from '#lib/bus';
import { agentDeleted, type AgentState } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';

const TABLES = [
  'transcript',
  'sessions',
  'turn_usage',
  'memory_copies',
  'mcp_access',
  'unfinished_turns',
  'refused_keys',
];

/** A deleted agent leaves nothing behind here. */
@Injectable()
export class ForgetAgent {
  @Consumes(agentDeleted)
  async onDeleted({ agentId }: Pick<AgentState, 'agentId'>, tx: Transaction): Promise<void> {
    for (const table of TABLES) await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
  }
}
