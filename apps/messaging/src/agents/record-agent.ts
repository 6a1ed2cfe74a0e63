import type { AgentState } from '#lib/contracts';
import type { Transaction } from '#lib/database';

/**
 * Takes over an agent's state unless a newer one is known. A turn of an agent that may not act any more is marked
 * stopped, unless it was interrupted before; gives whether its worker has to be told.
 */
export async function recordAgent(tx: Transaction, state: AgentState): Promise<{ mustInterrupt: boolean }> {
  // Without balance an agent takes messages and begins no turn: to the queue that is the same as paused.
  const lacksBalance = state.isExhausted === true && state.status === 'active';
  const status = lacksBalance ? 'paused' : state.status;
  const [agent] = await tx.query<{ running_turn: string | null }>(
    `INSERT INTO agents (agent_id, account_id, status, revision, lacks_balance) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (agent_id) DO UPDATE SET status = excluded.status, revision = excluded.revision,
         lacks_balance = excluded.lacks_balance, updated_at = now()
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

/** Deletes all that is kept of an agent; a tombstone keeps late news of it from bringing it back. */
export async function forgetAgent(tx: Transaction, agentId: string, accountId: string, revision: number) {
  await tx.query(
    `INSERT INTO agents (agent_id, account_id, status, revision) VALUES ($1, $2, 'deleted', $3)
     ON CONFLICT (agent_id) DO UPDATE
       SET status = 'deleted', revision = excluded.revision, running_turn = NULL, next_at = NULL, retry_at = NULL,
         updated_at = now()`,
    [agentId, accountId, revision],
  );
  for (const table of ['messages', 'conversations', 'turns']) {
    await tx.query(`DELETE FROM ${table} WHERE agent_id = $1`, [agentId]);
  }
  // Contents must not live on in events that were already published; the others still have to reach their consumers.
  await tx.query(`DELETE FROM outbox WHERE key = $1 AND published_at IS NOT NULL`, [agentId]);
}
