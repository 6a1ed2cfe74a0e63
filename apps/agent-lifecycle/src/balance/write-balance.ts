import { agentErrored, agentStatusChanged, RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { type AgentRow, isExhausted, stateOf } from '../agents/agent-row.js';

export interface BalanceWrite {
  after: number;
  reason: 'set' | 'added' | 'used';
  actor: string;
  /** For `used`. */
  stepId?: string;
  used?: number;
}

/**
 * Writes the balance of a locked agent with its ledger row. Running out and being filled up again are changes of
 * state that other services hear of; running out is told to the user once.
 * Errors: CONFLICT for a balance that no number holds exactly.
 */
export async function writeBalance(tx: Transaction, before: AgentRow, write: BalanceWrite): Promise<AgentRow> {
  if (write.after > Number.MAX_SAFE_INTEGER) {
    throw new RoostError('CONFLICT', `output_token_balance: must be at most ${Number.MAX_SAFE_INTEGER}`, [
      { field: 'output_token_balance', reason: 'too_large', current: Number(before.output_token_balance) },
    ]);
  }
  await tx.query(
    `INSERT INTO balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before, balance_after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      before.id,
      before.account_id,
      write.actor,
      write.reason,
      write.stepId ?? null,
      write.used ?? 0,
      before.output_token_balance,
      write.after,
    ],
  );
  const hasFlipped = (write.after === 0) !== isExhausted(before);
  // What a turn uses is no edit of the agent: `updated_at` stays.
  const [agent = before] = await tx.query<AgentRow>(
    `UPDATE agents SET output_token_balance = $2, total_output_tokens_used = total_output_tokens_used + $3,
       revision = revision + $4, updated_at = CASE WHEN $5 THEN now() ELSE updated_at END
     WHERE id = $1 RETURNING *`,
    [before.id, write.after, write.used ?? 0, hasFlipped ? 1 : 0, write.reason !== 'used'],
  );
  if (hasFlipped) await announce(tx, agent);
  return agent;
}

async function announce(tx: Transaction, agent: AgentRow): Promise<void> {
  const state = stateOf(agent);
  await tx.outbox(agentStatusChanged, { ...state, previous: agent.status, reason: agent.status_reason }, agent.id);
  if (!state.isExhausted) return;
  await tx.outbox(
    agentErrored,
    {
      agentId: agent.id,
      accountId: agent.account_id,
      code: 'BALANCE_EXHAUSTED',
      message: 'the agent has no output tokens left: add some to its balance',
      occurredAt: new Date(),
    },
    agent.id,
  );
}
