import type { Transaction } from '#lib/database';

/**
 * Cancels what waits for receivers of a deleted agent, and has its `agent.deleted` (event `eventId`, planned before) sent
 * after what workers hold at this moment: they are sending it, and it cannot be called back. A row of the queue that is
 * held gets `due_at = 'infinity'`: nobody claims it again, and its holder's outcome ends it.
 *
 * The caller holds the agent's lock (`AgentEndpoints.lock`), so that nothing is planned in between. Reads the agent's
 * history by its index, at most 30 days of it.
 */
export async function cancelDeliveries(
  tx: Transaction,
  { agentId, accountId, eventId }: { agentId: string; accountId: string; eventId: string },
): Promise<void> {
  const rows = await tx.query<{ id: string; is_held: boolean }>(
    `UPDATE queue q SET due_at = 'infinity' FROM deliveries d
     WHERE d.account_id = $1 AND d.agent_id = $2 AND d.status = 'pending' AND d.event_id <> $3 AND q.delivery_id = d.id
     RETURNING q.delivery_id AS id, q.leased_until > now() AS is_held`,
    [accountId, agentId, eventId],
  );
  const held = rows.filter((row) => row.is_held).map(({ id }) => id);
  const waiting = rows.filter((row) => !row.is_held).map(({ id }) => id);
  await tx.query(`DELETE FROM queue WHERE delivery_id = ANY ($1::uuid[])`, [waiting]);
  await markCancelled(tx, waiting);
  await tx.query(
    `WITH until AS (SELECT coalesce(max(leased_until), now()) AS at FROM queue WHERE delivery_id = ANY ($5::uuid[])),
     postponed AS (
       UPDATE queue q SET due_at = greatest(q.due_at, until.at) FROM deliveries d, until
       WHERE d.event_id = $3 AND q.delivery_id = d.id
     )
     INSERT INTO deleted_agents (agent_id, account_id, event_id, awaited, awaited_until)
     SELECT $2, $1, $3, $4, at FROM until ON CONFLICT DO NOTHING`,
    [accountId, agentId, eventId, held.length, held],
  );
}

/** What became of deliveries that were held when their agent was deleted; the last one lets `agent.deleted` go. */
export async function endHeld(tx: Transaction, ended: { id: string; agent_id: string }[]): Promise<void> {
  if (ended.length === 0) return;
  await tx.query(`DELETE FROM queue WHERE delivery_id = ANY ($1::uuid[]) AND due_at = 'infinity'`, [
    ended.map(({ id }) => id),
  ]);
  await tx.query(
    `WITH ended AS (
       SELECT agent_id, count(*) AS count FROM unnest($1::uuid[]) AS agent_id GROUP BY agent_id
     ), counted AS (
       UPDATE deleted_agents g SET awaited = g.awaited - ended.count FROM ended WHERE g.agent_id = ended.agent_id
       RETURNING g.event_id, g.awaited
     )
     UPDATE queue q SET due_at = now() FROM counted c JOIN deliveries d ON d.event_id = c.event_id
     WHERE c.awaited <= 0 AND q.delivery_id = d.id AND q.tries = 0`,
    [ended.map(({ agent_id }) => agent_id)],
  );
}

/** Cancels what was held by a worker that died: nobody records it. Gives how many there were. */
export async function cancelAbandoned(tx: Transaction, most: number): Promise<number> {
  const abandoned = await tx.query<{ id: string }>(
    `SELECT delivery_id AS id FROM queue WHERE due_at = 'infinity' AND leased_until <= now() LIMIT $1
     FOR UPDATE SKIP LOCKED`,
    [most],
  );
  await endHeld(
    tx,
    await markCancelled(
      tx,
      abandoned.map(({ id }) => id),
    ),
  );
  return abandoned.length;
}

/** Only the history: the rows of the queue are the caller's. */
export async function markCancelled(tx: Transaction, ids: string[]): Promise<{ id: string; agent_id: string }[]> {
  if (ids.length === 0) return [];
  return tx.query(
    `UPDATE deliveries SET status = 'cancelled', finished_at = now() WHERE id = ANY ($1::uuid[]) RETURNING id, agent_id`,
    [ids],
  );
}
