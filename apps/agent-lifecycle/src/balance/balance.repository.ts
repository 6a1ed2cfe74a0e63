import type { StepUsage } from '#lib/contracts';
import type { Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';
import type { AgentKey, AgentRow } from '../agents/agent-row.js';

export interface Debit {
  stepId: string;
  outputTokens: number;
  /** A worker of an older version does not say it. */
  usage?: StepUsage | undefined;
}

/** An agent after a debit, with what its turn has to know of budgets. */
export type DebitedRow = AgentRow & { budget_is_exhausted: boolean; budget_needs_price: boolean };

/** The columns of the ledger that hold what a step used. */
const USED = `model, source, input_tokens, used_output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens,
  cost_nano_usd`;

const usedBy = (usage: StepUsage | undefined): unknown[] => [
  usage?.model ?? null,
  usage?.source ?? null,
  usage?.inputTokens ?? null,
  usage?.outputTokens ?? null,
  usage?.cachedInputTokens ?? null,
  usage?.cacheWriteTokens ?? null,
  usage?.reasoningTokens ?? null,
  usage?.costUsd ?? null,
];

export interface BalanceWrite {
  after: number;
  reason: 'created' | 'set' | 'added' | 'used';
  actor: string;
  /** For `used`. */
  stepId?: string;
  used?: number;
  usage?: StepUsage | undefined;
}

/** All SQL of `balance_ledger`, and of the balance in `agents` that each of its rows changes. */

/**
 * The usual debit in one statement: the balance outlasts it, the step is new, and no budget comes to a mark or a new
 * period, or was made since the statement began, which does not see it. Undefined, with nothing done, when it is not that
 * plain.
 */
export async function debitPlainly(
  queries: Queries,
  { agentId, accountId }: AgentKey,
  { stepId, outputTokens, usage }: Debit,
): Promise<DebitedRow | undefined> {
  const [agent] = await queries.query<DebitedRow>(
    `WITH agent AS MATERIALIZED (
       SELECT id, account_id, output_token_balance AS before FROM agents
       WHERE id = $1 AND ($2::uuid IS NULL OR account_id = $2) AND output_token_balance > $4::bigint
         AND (budgets_xid IS NULL OR pg_visible_in_snapshot(budgets_xid, pg_current_snapshot())) FOR UPDATE
     ), budget AS MATERIALIZED (
       SELECT b.id, b.unit, b.is_exhausted, b.is_past_threshold, b.amount, b.threshold_percent, b.period_ends_at,
         b.used + CASE b.unit WHEN 'tokens' THEN coalesce($7::bigint + $8::bigint, 0) ELSE coalesce($12::bigint, 0) END AS used
       FROM agent JOIN budgets b ON b.account_id = agent.account_id AND (b.agent_id IS NULL OR b.agent_id = agent.id)
       ORDER BY b.id FOR UPDATE OF b
     ), marked AS (
       SELECT count(*) AS budgets FROM budget WHERE period_ends_at <= now() OR (NOT is_exhausted AND used >= amount)
         OR (NOT is_past_threshold AND used >= ceil(amount * threshold_percent / 100.0))
     ), step AS (
       INSERT INTO balance_ledger
         (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before, balance_after, ${USED})
       SELECT id, account_id, 'agent-runtime', 'used', $3, $4, before, before - $4,
         $5::text, $6::text, $7::bigint, $8::bigint, $9::bigint, $10::bigint, $11::bigint, $12::bigint
       FROM agent, marked WHERE marked.budgets = 0
       ON CONFLICT (agent_id, step_id) DO NOTHING
       RETURNING agent_id, balance_after
     ), counted AS (
       UPDATE budgets SET used = budget.used FROM step, budget WHERE budgets.id = budget.id
     )
     UPDATE agents SET output_token_balance = step.balance_after,
       total_output_tokens_used = total_output_tokens_used + $4
     FROM step WHERE agents.id = step.agent_id
     RETURNING agents.*, (SELECT coalesce(bool_or(is_exhausted), false) FROM budget) AS budget_is_exhausted,
       (SELECT coalesce(bool_or(unit = 'usd'), false) FROM budget) AS budget_needs_price`,
    [agentId, accountId, stepId, outputTokens, ...usedBy(usage)],
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
    `INSERT INTO balance_ledger
       (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before, balance_after, ${USED})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      ...[agent.id, agent.account_id, write.actor, write.reason, write.stepId ?? null, write.used ?? 0, before],
      ...[write.after, ...usedBy(write.usage)],
    ],
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
export async function sweepLedger(queries: Queries, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM balance_ledger WHERE id = ANY(ARRAY(
      SELECT id FROM balance_ledger WHERE created_at < now() - interval '90 days' LIMIT ${SWEEP_BATCH})) RETURNING 1`;
  await inBatches(() => queries.query(some), signal);
}
