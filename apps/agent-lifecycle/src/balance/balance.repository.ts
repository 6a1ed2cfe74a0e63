import type { Queries, Transaction } from '#lib/database';
import type { AgentKey, AgentRow } from '../agents/agent-row.js';

export interface Debit {
  stepId: string;
  outputTokens: number;
}

export interface BalanceWrite {
  after: number;
  reason: 'created' | 'set' | 'added' | 'used';
  actor: string;
  /** For `used`. */
  stepId?: string;
  used?: number;
}

const SWEEP_ROWS = 5_000;

/** All SQL of `balance_ledger`, and of the balance in `agents` that each of its rows changes. */

/**
 * The usual debit in one statement: the balance outlasts it and the step is new. Undefined, with nothing done, when
 * it is not that plain.
 */
export async function debitPlainly(
  queries: Queries,
  { agentId, accountId }: AgentKey,
  { stepId, outputTokens }: Debit,
): Promise<AgentRow | undefined> {
  const [agent] = await queries.query<AgentRow>(
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

export async function hasStep(tx: Transaction, agentId: string, stepId: string): Promise<boolean> {
  const [seen] = await tx.query(`SELECT 1 FROM balance_ledger WHERE agent_id = $1 AND step_id = $2`, [agentId, stepId]);
  return seen !== undefined;
}

export async function addEntry(
  tx: Transaction,
  agent: Pick<AgentRow, 'id' | 'account_id'>,
  before: string,
  write: BalanceWrite,
) {
  await tx.query(
    `INSERT INTO balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before, balance_after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [agent.id, agent.account_id, write.actor, write.reason, write.stepId ?? null, write.used ?? 0, before, write.after],
  );
}

/** What a turn uses is no edit of the agent: `updated_at` stays. */
export async function setBalance(
  tx: Transaction,
  before: AgentRow,
  write: BalanceWrite,
  isNewRevision: boolean,
): Promise<AgentRow> {
  const [agent = before] = await tx.query<AgentRow>(
    `UPDATE agents SET output_token_balance = $2, total_output_tokens_used = total_output_tokens_used + $3,
       revision = revision + $4, updated_at = CASE WHEN $5 THEN now() ELSE updated_at END
     WHERE id = $1 RETURNING *`,
    [before.id, write.after, write.used ?? 0, isNewRevision ? 1 : 0, write.reason !== 'used'],
  );
  return agent;
}

/** Steps are repeated within minutes, accounts are billed within months. */
export async function sweepLedger(queries: Queries): Promise<void> {
  await queries.query(
    `DELETE FROM balance_ledger WHERE id IN (
       SELECT id FROM balance_ledger WHERE created_at < now() - interval '90 days' LIMIT ${SWEEP_ROWS})`,
  );
}
