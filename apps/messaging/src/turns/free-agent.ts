import type { Transaction } from '#lib/database';

/**
 * When the agent $n has something to claim: since now, or from its first retry on. Those that only wait for a retry are
 * not among those that can be claimed, so that no claim has to pass over them.
 */
export const nextClaim = (agent: string) =>
  `(next_at, retry_at) = (
    SELECT CASE WHEN min(ready_at) <= now() THEN now() END, CASE WHEN min(ready_at) > now() THEN min(ready_at) END
    FROM conversations c WHERE c.agent_id = ${agent}::uuid)`;

/** Lets the agent's next turn be claimed; gives whether there is one. The last step of every end of a turn. */
export async function freeAgent(tx: Transaction, agentId: string, turnId: string): Promise<boolean> {
  const [agent] = await tx.query<{ next_at: Date | null }>(
    `UPDATE agents SET running_turn = NULL, ${nextClaim('$1')}
     WHERE agent_id = $1 AND running_turn = $2 RETURNING next_at`,
    [agentId, turnId],
  );
  return (agent?.next_at ?? null) !== null;
}
