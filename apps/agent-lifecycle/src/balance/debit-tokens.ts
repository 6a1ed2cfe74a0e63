import type { Transaction } from '#lib/database';
import { type AgentKey, type AgentRow, lockAgent } from '../agents/agent-row.js';
import { writeBalance } from './write-balance.js';

export interface Debit {
  stepId: string;
  outputTokens: number;
}

/** Takes what a model step put out off the balance, down to zero; once per step. Errors: NOT_FOUND. */
export async function debitTokens(tx: Transaction, key: AgentKey, { stepId, outputTokens }: Debit): Promise<AgentRow> {
  const agent = await lockAgent(tx, key);
  const [seen] = await tx.query(`SELECT 1 FROM balance_ledger WHERE agent_id = $1 AND step_id = $2`, [
    agent.id,
    stepId,
  ]);
  if (seen) return agent;
  const after = Math.max(0, Number(agent.output_token_balance) - outputTokens);
  return writeBalance(tx, agent, { after, reason: 'used', actor: 'agent-runtime', stepId, used: outputTokens });
}
