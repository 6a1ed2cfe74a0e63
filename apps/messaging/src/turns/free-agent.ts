import type { Transaction } from '#lib/database';

/** Lets the agent's next turn be claimed; gives whether there is one. The last step of every end of a turn. */
export async function freeAgent(tx: Transaction, agentId: string, turnId: string): Promise<boolean> {
  const [agent] = await tx.query<{ next_at: Date | null }>(
    `UPDATE agents SET running_turn = NULL,
       next_at = (SELECT greatest(min(ready_at), now()) FROM conversations c WHERE c.agent_id = $1 HAVING min(ready_at) IS NOT NULL)
     WHERE agent_id = $1 AND running_turn = $2 RETURNING next_at`,
    [agentId, turnId],
  );
  return (agent?.next_at ?? null) !== null;
}
