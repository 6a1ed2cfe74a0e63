import type { Queries, Transaction } from '#lib/database';
import { RoostError } from '#lib/contracts';
import type { BudgetRow, BudgetUse } from './budget-row.js';

/** All SQL of `budgets`, but what the usual debit changes in its one statement (balance.repository.ts). */

/** The budgets that hold for the agent $n of the account $m. */
const HOLD_FOR = (agent: string, account: string) =>
  `account_id = ${account}::uuid AND (agent_id IS NULL OR agent_id = ${agent}::uuid)`;

/**
 * SQL for what a turn has to know of the budgets that hold for the agent of `agents`, in the wire form of contracts'
 * BudgetState. One whose period is over is exhausted no more, whether or not that was written.
 */
export const BUDGET_STATE = `
  (SELECT jsonb_build_object('is_exhausted', coalesce(bool_or(is_exhausted AND period_ends_at > now()), false),
     'needs_price', coalesce(bool_or(unit = 'usd'), false))
   FROM budgets WHERE budgets.account_id = agents.account_id
     AND (budgets.agent_id IS NULL OR budgets.agent_id = agents.id))`;

/**
 * Locks the agents that a new budget is to hold for, so that what they have used is known, and notes the budget in their
 * rows: a debit that began before it was there learns of it when it gets the agent's lock.
 */
export async function noteNewBudget(tx: Transaction, accountId: string, agentId: string | null): Promise<void> {
  await tx.query(
    `UPDATE agents SET budgets_xid = pg_current_xact_id() WHERE id = ANY(ARRAY(
       SELECT id FROM agents WHERE account_id = $1 AND ($2::uuid IS NULL OR id = $2) ORDER BY id FOR UPDATE))`,
    [accountId, agentId],
  );
}

/** In one order everywhere, after the agent: two debits that lock them the other way round would wait for each other. */
export function lockBudgetsFor(tx: Transaction, agentId: string, accountId: string): Promise<BudgetRow[]> {
  return tx.query(`SELECT * FROM budgets WHERE ${HOLD_FOR('$1', '$2')} ORDER BY id FOR UPDATE`, [agentId, accountId]);
}

export function listBudgetRows(queries: Queries, accountId: string, agentId: string | null): Promise<BudgetRow[]> {
  return queries.query(
    `SELECT * FROM budgets WHERE account_id = $2 AND ($1::uuid IS NULL OR agent_id IS NULL OR agent_id = $1)
     ORDER BY created_at, id`,
    [agentId, accountId],
  );
}

/** Errors: NOT_FOUND, the same for another account's budget. */
export async function findBudget(queries: Queries, accountId: string, budgetId: string, lock = ''): Promise<BudgetRow> {
  const [row] = await queries.query<BudgetRow>(`SELECT * FROM budgets WHERE id = $1 AND account_id = $2 ${lock}`, [
    budgetId,
    accountId,
  ]);
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such budget');
  return row;
}

export async function countBudgets(tx: Transaction, accountId: string, agentId: string | null): Promise<number> {
  const [row] = await tx.query<{ count: string }>(
    `SELECT count(*) FROM budgets WHERE account_id = $1 AND agent_id IS NOT DISTINCT FROM $2::uuid`,
    [accountId, agentId],
  );
  return Number(row?.count ?? 0);
}

export type BudgetTerms = Pick<
  BudgetRow,
  'account_id' | 'agent_id' | 'unit' | 'amount' | 'period' | 'timezone' | 'threshold_percent'
>;

export async function insertBudget(
  tx: Transaction,
  id: string,
  terms: BudgetTerms,
  use: BudgetUse,
): Promise<BudgetRow> {
  const [row] = await tx.query<BudgetRow>(
    `INSERT INTO budgets (id, account_id, agent_id, unit, amount, period, timezone, threshold_percent, period_starts_at,
       period_ends_at, used, is_past_threshold, is_exhausted)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING *`,
    [
      ...[id, terms.account_id, terms.agent_id, terms.unit, terms.amount, terms.period, terms.timezone],
      ...[terms.threshold_percent, use.period_starts_at, use.period_ends_at, use.used, use.is_past_threshold],
      use.is_exhausted,
    ],
  );
  if (!row) throw new Error('an inserted row was not returned');
  return row;
}

/** `terms`: absent where only the use changes, which is no edit of the budget: `updated_at` stays. */
export async function writeBudget(
  tx: Transaction,
  before: BudgetRow,
  use: BudgetUse,
  terms?: BudgetTerms,
): Promise<BudgetRow> {
  const { unit, amount, period, timezone, threshold_percent } = terms ?? before;
  const [row = before] = await tx.query<BudgetRow>(
    `UPDATE budgets SET unit = $2, amount = $3, period = $4, timezone = $5, threshold_percent = $6, period_starts_at = $7,
       period_ends_at = $8, used = $9, is_past_threshold = $10, is_exhausted = $11, revision = revision + 1,
       updated_at = CASE WHEN $12 THEN now() ELSE updated_at END
     WHERE id = $1 RETURNING *`,
    [
      ...[before.id, unit, amount, period, timezone, threshold_percent, use.period_starts_at, use.period_ends_at],
      ...[use.used, use.is_past_threshold, use.is_exhausted, terms !== undefined],
    ],
  );
  return row;
}

export async function deleteBudgetRow(tx: Transaction, budgetId: string): Promise<void> {
  await tx.query(`DELETE FROM budgets WHERE id = $1`, [budgetId]);
}

export async function deleteBudgetsOf(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM budgets WHERE account_id = $1`, [accountId]);
}

/** Exhausted budgets whose period is over, locked. */
export function lockEnded(tx: Transaction, limit: number): Promise<BudgetRow[]> {
  return tx.query(
    `SELECT * FROM budgets WHERE is_exhausted AND period_ends_at <= now() ORDER BY period_ends_at LIMIT $1
     FOR UPDATE SKIP LOCKED`,
    [limit],
  );
}

/** The database's clock, by which periods turn. */
export async function databaseTime(queries: Queries): Promise<Date> {
  const [row] = await queries.query<{ now: Date }>(`SELECT now() AS now`);
  if (!row) throw new Error('a clock has a time');
  return row.now;
}
