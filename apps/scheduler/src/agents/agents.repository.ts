import { type AgentState, RoostError } from '#lib/contracts';
import type { Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';

/** All SQL of `agents`, the copy of whose agents are and whether they can be woken. */

/** Takes over a newer state of an agent; an older one changes nothing. */
export async function recordAgent(
  queries: Queries,
  state: Pick<AgentState, 'agentId' | 'accountId' | 'revision'> & { status: AgentState['status'] | 'deleted' },
): Promise<void> {
  await queries.query(
    `INSERT INTO agents (agent_id, account_id, status, revision, deleted_at)
     VALUES ($1, $2, $3::text, $4, CASE WHEN $3 = 'deleted' THEN now() END)
     ON CONFLICT (agent_id) DO UPDATE SET status = excluded.status, revision = excluded.revision, deleted_at = excluded.deleted_at
       WHERE agents.revision < excluded.revision`,
    [state.agentId, state.accountId, state.status, state.revision],
  );
}

export async function findAgent(queries: Queries, agentId: string) {
  const [agent] = await queries.query<{ account_id: string; status: string }>(
    `SELECT account_id, status FROM agents WHERE agent_id = $1`,
    [agentId],
  );
  return agent;
}

/**
 * Locks the agent's row against a concurrent deletion: that sees what `tx` writes, or this fails. Errors: NOT_FOUND.
 */
export async function lockAgent(tx: Transaction, agentId: string, accountId: string): Promise<{ status: string }> {
  const [agent] = await tx.query<{ status: string }>(
    `SELECT status FROM agents WHERE agent_id = $1 AND account_id = $2 AND status <> 'deleted' FOR SHARE`,
    [agentId, accountId],
  );
  if (!agent) throw unknownAgent();
  return agent;
}

/** Deletes an agent's schedules and triggers with their executions. */
export async function deleteAutomation(tx: Transaction, agentId: string): Promise<void> {
  for (const table of ['executions', 'schedules', 'triggers'])
    await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
}

/** Deletes up to `limit` rows of the account with their executions; returns how many. */
export async function deleteSome(
  tx: Transaction,
  table: 'schedules' | 'triggers',
  accountId: string,
  limit: number,
): Promise<number> {
  const removed = await tx.query(
    `DELETE FROM ${table} WHERE id = ANY(ARRAY(SELECT id FROM ${table} WHERE account_id = $1 LIMIT $2)) RETURNING id`,
    [accountId, limit],
  );
  return removed.length;
}

/** Tombstones, once no event of these agents can arrive any more. */
export async function sweepDeletedAgents(queries: Queries, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM agents WHERE agent_id = ANY(ARRAY(
      SELECT agent_id FROM agents WHERE deleted_at < now() - interval '8 days' ORDER BY deleted_at LIMIT ${SWEEP_BATCH}))
    RETURNING 1`;
  await inBatches(() => queries.query(some), signal);
}

export const unknownAgent = () => new RoostError('NOT_FOUND', 'there is no such agent');
