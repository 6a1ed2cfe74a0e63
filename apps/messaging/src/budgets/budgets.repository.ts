import type { BudgetBlock } from '#lib/contracts';
import type { Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';

/** All SQL of `budget_blocks`, and of what follows from it in `agents`. */

/** SQL: whether an exhausted budget holds for the agent of an account. */
export const isBlocked = (agentId: string, accountId: string) => `
  EXISTS (SELECT FROM budget_blocks b WHERE b.account_id = ${accountId} AND b.is_exhausted
    AND (b.agent_id IS NULL OR b.agent_id = ${agentId}))`;

/** SQL: until when exhausted budgets hold for the agent `a`. */
export const BLOCKED_UNTIL = `
  (SELECT max(b.until) FROM budget_blocks b WHERE b.account_id = a.account_id AND b.is_exhausted
     AND (b.agent_id IS NULL OR b.agent_id = a.agent_id))`;

/** SQL: the key of the lock on all blocks of the account `$1`. */
const BLOCKS_LOCK = `hashtextextended('budgets ' || $1, 0)`;

/**
 * Keeps the budgets of an account as they are until the transaction ends, for who reads whether one is exhausted and writes
 * that into an agent. It is a statement of its own: the next one sees what was committed while it waited.
 */
export async function keepBlocks(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock_shared(${BLOCKS_LOCK})`, [accountId]);
}

/**
 * Takes over what a budget has come to, unless newer is known: the agents concerned begin no turn, or do again. Returns
 * whether some can be claimed now.
 */
export async function recordBlock(tx: Transaction, block: BudgetBlock): Promise<boolean> {
  // The rows of agents do not suffice: one that is just being added cannot be locked, and is not seen.
  await tx.query(`SELECT pg_advisory_xact_lock(${BLOCKS_LOCK})`, [block.accountId]);
  const [known] = await tx.query(
    `INSERT INTO budget_blocks (budget_id, account_id, agent_id, is_exhausted, until, revision)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (budget_id) DO UPDATE SET is_exhausted = excluded.is_exhausted, until = excluded.until,
       revision = excluded.revision, updated_at = now()
     WHERE budget_blocks.revision < excluded.revision RETURNING 1`,
    [block.budgetId, block.accountId, block.agentId, block.isExhausted, block.until, block.revision],
  );
  if (!known) return false;
  const scope = [block.accountId, block.agentId];
  // In one order everywhere: whoever locks several agents does it by their ids.
  await tx.query(
    `SELECT 1 FROM agents WHERE account_id = $1 AND ($2::uuid IS NULL OR agent_id = $2) ORDER BY agent_id FOR UPDATE`,
    scope,
  );
  if (block.isExhausted) {
    await tx.query(
      `UPDATE agents SET status = 'paused', lacks_budget = true, updated_at = now()
       WHERE account_id = $1 AND ($2::uuid IS NULL OR agent_id = $2) AND status = 'active'`,
      scope,
    );
    return false;
  }
  // A deleted agent still lacks its budget where the state that lifecycle sends before the event of a deletion was lost.
  const freed = await tx.query(
    `UPDATE agents SET status = 'active', lacks_budget = false, updated_at = now()
     WHERE account_id = $1 AND ($2::uuid IS NULL OR agent_id = $2) AND lacks_budget AND status = 'paused'
       AND NOT ${isBlocked('agents.agent_id', 'agents.account_id')} RETURNING 1`,
    scope,
  );
  return freed.length > 0;
}

/** Those that are over, once no older event of them can arrive any more. */
export async function sweepBlocks(queries: Queries, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM budget_blocks WHERE budget_id = ANY(ARRAY(
      SELECT budget_id FROM budget_blocks WHERE NOT is_exhausted AND updated_at < now() - interval '8 days' LIMIT ${SWEEP_BATCH}))
    RETURNING 1`;
  await inBatches(() => queries.query(some), signal);
}
