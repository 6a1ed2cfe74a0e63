import { type AgentState, RoostError } from '#lib/contracts';
import { type Database, deleteAll, type Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';
import { cancelAllOf } from '../approvals/suspensions.repository.js';
import { isBlocked, keepBlocks } from '../budgets/budgets.repository.js';

/** All SQL of `agents`, the copy of lifecycle's agents, which also holds which turn runs and when the next can be claimed. */

/**
 * SQL for what is read of the agent `$1`: whether `AgentsService.require` has to be asked as well. A deleted agent looks
 * stopped, and its messages are still there, until its event is here.
 */
export const MAY_BE_GONE = `(SELECT status = 'stopped' FROM agents WHERE agent_id = $1) AS may_be_gone`;

export const unknownAgent = () => new RoostError('NOT_FOUND', 'there is no such agent');

export async function findAgent(database: Database, agentId: string) {
  const [row] = await database.query<{ account_id: string; status: string }>(
    `SELECT account_id, status FROM agents WHERE agent_id = $1`,
    [agentId],
  );
  return row;
}

/** Locks an agent before anything is written for it: `seq` of its messages is the order of commits. Returns whether there is one. */
export async function lockAgent(tx: Transaction, agentId: string, accountId: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM agents WHERE agent_id = $1 AND account_id = $2 AND status <> 'deleted' FOR UPDATE`,
    [agentId, accountId],
  );
  return rows.length > 0;
}

/**
 * Takes over an agent's state unless a newer one is known. A turn of an agent that may not act any more is marked
 * stopped, unless it was interrupted before; returns whether its worker has to be notified.
 */
export async function recordAgent(tx: Transaction, state: AgentState): Promise<{ mustInterrupt: boolean }> {
  // Without balance an agent takes messages and begins no turn: to the queue that is the same as paused.
  const lacksBalance = state.isExhausted === true && state.status === 'active';
  const status = lacksBalance ? 'paused' : state.status;
  // Where the statement below waits for the agent's row, what it has read of the budgets may be of before.
  await keepBlocks(tx, state.accountId);
  const [agent] = await tx.query<{ running_turn: string | null }>(
    `INSERT INTO agents (agent_id, account_id, status, revision, lacks_balance, lacks_budget)
     SELECT $1, $2, CASE WHEN blocked THEN 'paused' ELSE $3 END, $4, $5, blocked
     FROM (SELECT $3 = 'active' AND ${isBlocked('$1::uuid', '$2::uuid')} AS blocked) budget
     ON CONFLICT (agent_id) DO UPDATE SET status = excluded.status, revision = excluded.revision,
         lacks_balance = excluded.lacks_balance, lacks_budget = excluded.lacks_budget, updated_at = now()
       WHERE agents.revision < excluded.revision AND agents.status <> 'deleted'
     RETURNING running_turn`,
    [state.agentId, state.accountId, status, state.revision, lacksBalance],
  );
  if (!agent?.running_turn || (state.status !== 'stopped' && state.status !== 'error')) return { mustInterrupt: false };
  await tx.query(
    `UPDATE turns SET cancelled = true, stopped = stopped OR NOT cancelled WHERE id = $1 AND state = 'running'`,
    [agent.running_turn],
  );
  return { mustInterrupt: true };
}

/** Deletes all rows of an agent; a tombstone keeps late events of it from bringing it back. */
export async function forgetAgent(tx: Transaction, agentId: string, accountId: string, revision: number) {
  await tx.query(
    `INSERT INTO agents (agent_id, account_id, status, revision) VALUES ($1, $2, 'deleted', $3)
     ON CONFLICT (agent_id) DO UPDATE
       SET status = 'deleted', revision = excluded.revision, running_turn = NULL, next_at = NULL, retry_at = NULL,
         updated_at = now()`,
    [agentId, accountId, revision],
  );
  await cancelAllOf(tx, agentId);
  for (const table of ['messages', 'conversations', 'turns', 'approvals']) {
    await deleteAll(tx, table, 'agent_id = $1', [agentId]);
  }
  // Contents must not live on in events that were already published; the others still have to reach their consumers.
  await deleteAll(tx, 'outbox', 'key = $1 AND published_at IS NOT NULL', [agentId]);
}

/** Tombstones, once no event of these agents can arrive any more. */
export async function sweepDeletedAgents(database: Database, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM agents WHERE agent_id = ANY(ARRAY(
      SELECT agent_id FROM agents WHERE status = 'deleted' AND updated_at < now() - interval '8 days' LIMIT ${SWEEP_BATCH}))
    RETURNING 1`;
  await inBatches(() => database.query(some), signal);
}
