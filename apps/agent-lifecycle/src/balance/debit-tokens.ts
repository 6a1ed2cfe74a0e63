import type { Transaction } from '#lib/database';
import { type AgentKey, type AgentRow, lockAgent, type Queries } from '../agents/agent-row.js';
import { writeBalance } from './write-balance.js';

export interface Debit {
  stepId: string;
  outputTokens: number;
}

/**
 * The usual debit in one statement: the balance outlasts it and the step is new. Undefined, with nothing done, when
 * it is not that plain.
 */
export async function debitPlainly(
  database: Queries,
  { agentId, accountId }: AgentKey,
  { stepId, outputTokens }: Debit,
): Promise<AgentRow | undefined> {
  const [agent] = await database.query<AgentRow>(
    `WITH agent AS (
       SELECT id, account_id, output_token_balance AS before FROM agents
       WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2) AND output_token_balance > $4::bigint FOR UPDATE
     ), step AS (
       INSERT INTO balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before, balance_after)
       SELECT id, account_id, 'agent-runtime', 'used', $3, $4, before, before - $4 FROM agent
       ON CONFLICT (agent_id, step_id) DO NOTHING
       RETURNING agent_id, balance_after
     )
     UPDATE agents SET output_token_balance = step.balance_after,
       total_output_tokens_used = total_output_tokens_used + $4
     FROM step WHERE agents.id = step.agent_id RETURNING agents.*`,
    [agentId, accountId, stepId, outputTokens],
  );
  return agent;
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
