import type { Database, Transaction } from '#lib/database';
import type { ClaimedDelivery } from './claims.repository.js';
import { type DeliveryRow, RETENTION_DAYS } from './deliveries.repository.js';

/** SQL of `queue`, what waits to be sent (how it is claimed: claims.repository.ts), and of `deleted_agents`, whose deliveries are cancelled. */

/** Returns claimed deliveries untried, for another worker to take at once; those of deleted agents are cancelled. */
export async function releaseDeliveries(database: Database, deliveries: ClaimedDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await database.transaction(async (tx) => {
    const released = await tx.query<{ id: string; is_cancelled: boolean }>(
      `UPDATE queue q SET leased_until = '-infinity' FROM unnest($1::uuid[], $2::bigint[]) AS leased (id, token)
       WHERE q.delivery_id = leased.id AND q.fencing_token = leased.token
       RETURNING q.delivery_id AS id, q.due_at = 'infinity' AS is_cancelled`,
      [deliveries.map(({ id }) => id), deliveries.map(({ fencing_token }) => fencing_token)],
    );
    const cancelled = released.filter((row) => row.is_cancelled).map(({ id }) => id);
    await endLeased(tx, await markCancelled(tx, cancelled));
  });
}

/**
 * Has deliveries sent again from the start of the schedule; a worker that holds one now loses its lease. Returns those
 * that are still there. Of a deleted agent only `agent.deleted` is sent again, and not while others are on their way.
 */
export async function sendAgain(tx: Transaction, accountId: string, deliveryIds: string[]): Promise<DeliveryRow[]> {
  // A deletion that is under way ends first, or finds in the queue what is put there here.
  await tx.query(
    `SELECT 1 FROM agents WHERE agent_id IN
       (SELECT agent_id FROM deliveries WHERE account_id = $1 AND id = ANY ($2::uuid[])) ORDER BY agent_id FOR KEY SHARE`,
    [accountId, deliveryIds],
  );
  // The queue first, as when an outcome is recorded. The share lock keeps a delivery from being removed in between.
  const queued = await tx.query<{ delivery_id: string }>(
    `INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
     SELECT id, account_id, endpoint_id, event_id FROM deliveries d WHERE account_id = $1 AND id = ANY ($2::uuid[])
       AND NOT EXISTS (
         SELECT FROM deleted_agents g WHERE g.agent_id = d.agent_id
           AND (d.event_type <> 'agent.deleted' OR (g.awaited > 0 AND g.awaited_until > now()))
       )
     ORDER BY seq FOR KEY SHARE OF d
     ON CONFLICT (delivery_id) DO UPDATE SET due_at = now(), tries = 0, leased_until = '-infinity',
       fencing_token = nextval('fencing_tokens')
     RETURNING delivery_id`,
    [accountId, deliveryIds],
  );
  return tx.query<DeliveryRow>(
    `UPDATE deliveries SET status = 'pending', finished_at = NULL WHERE account_id = $1 AND id = ANY ($2::uuid[])
     RETURNING *, now() AS next_attempt_at`,
    [accountId, queued.map(({ delivery_id }) => delivery_id)],
  );
}

/**
 * Cancels what waits for receivers of a deleted agent, and has its `agent.deleted` (event `eventId`, planned before) sent
 * after what workers hold at this moment (`cancelWaiting`).
 *
 * The caller holds the agent's lock (`lockAgent`), so that nothing is planned in between. Reads the agent's
 * history by its index, at most 30 days of it.
 */
export async function cancelDeliveries(
  tx: Transaction,
  { agentId, accountId, eventId }: { agentId: string; accountId: string; eventId: string },
): Promise<void> {
  const rows = await tx.query<QueuedRow>(
    `UPDATE queue q SET due_at = 'infinity' FROM deliveries d
     WHERE d.account_id = $1 AND d.agent_id = $2 AND d.status = 'pending' AND d.event_id <> $3 AND q.delivery_id = d.id
     RETURNING q.delivery_id AS id, q.leased_until > now() AS is_leased`,
    [accountId, agentId, eventId],
  );
  const leased = await cancelWaiting(tx, rows);
  await tx.query(
    `WITH until AS (SELECT coalesce(max(leased_until), now()) AS at FROM queue WHERE delivery_id = ANY ($5::uuid[])),
     postponed AS (
       UPDATE queue q SET due_at = greatest(q.due_at, until.at) FROM deliveries d, until
       WHERE d.event_id = $3 AND q.delivery_id = d.id
     )
     INSERT INTO deleted_agents (agent_id, account_id, event_id, awaited, awaited_until)
     SELECT $2, $1, $3, $4, at FROM until ON CONFLICT DO NOTHING`,
    [accountId, agentId, eventId, leased.length, leased],
  );
}

/** Cancels what waits for endpoints that the caller has deleted; the history stays. Reads it by its index. */
export async function cancelOfEndpoints(tx: Transaction, endpointIds: string[]): Promise<void> {
  if (endpointIds.length === 0) return;
  const rows = await tx.query<QueuedRow>(
    `UPDATE queue q SET due_at = 'infinity' FROM deliveries d
     WHERE d.endpoint_id = ANY ($1::uuid[]) AND d.status = 'pending' AND q.delivery_id = d.id
     RETURNING q.delivery_id AS id, q.leased_until > now() AS is_leased`,
    [endpointIds],
  );
  await cancelWaiting(tx, rows);
}

interface QueuedRow {
  id: string;
  is_leased: boolean;
}

/**
 * Of rows with `due_at = 'infinity'` cancels those that no worker holds. Returns the others: they are being sent, and
 * cannot be called back. Nobody claims them again, and their holder's outcome ends them (`endLeased`).
 */
async function cancelWaiting(tx: Transaction, rows: QueuedRow[]): Promise<string[]> {
  const waiting = rows.filter((row) => !row.is_leased).map(({ id }) => id);
  await tx.query(`DELETE FROM queue WHERE delivery_id = ANY ($1::uuid[])`, [waiting]);
  await markCancelled(tx, waiting);
  return rows.filter((row) => row.is_leased).map(({ id }) => id);
}

/** What became of deliveries that were leased when their agent or endpoint was deleted; an agent's last one lets `agent.deleted` go. */
export async function endLeased(tx: Transaction, ended: { id: string; agent_id: string }[]): Promise<void> {
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

/** Cancels what was leased by a worker that died: nobody records it. Returns how many there were. */
export async function cancelAbandoned(tx: Transaction, most: number): Promise<number> {
  const abandoned = await tx.query<{ id: string }>(
    `SELECT delivery_id AS id FROM queue WHERE NOT is_due AND due_at = 'infinity' AND leased_until <= now() LIMIT $1
     FOR UPDATE SKIP LOCKED`,
    [most],
  );
  await endLeased(
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

export async function deleteAgentsOfAccount(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM deleted_agents WHERE account_id = $1`, [accountId]);
}

/** Agents of which no history is left. */
export async function deleteOldAgents(database: Database): Promise<void> {
  await database.query(`DELETE FROM deleted_agents WHERE deleted_at < now() - interval '${RETENTION_DAYS + 1} days'`);
}

export async function waitingDeliveries(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM queue`);
  return row?.count ?? 0;
}

/** Of enabled endpoints; the rest waits on purpose. 0 when nothing is due. */
export async function oldestDueSeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number | null }>(
    `WITH RECURSIVE due AS (
       (SELECT account_id, endpoint_id FROM queue WHERE is_due ORDER BY account_id, endpoint_id LIMIT 1)
       UNION ALL
       SELECT next.* FROM due before CROSS JOIN LATERAL (
         SELECT account_id, endpoint_id FROM queue
         WHERE is_due AND (account_id, endpoint_id) > (before.account_id, before.endpoint_id)
         ORDER BY account_id, endpoint_id LIMIT 1
       ) next
     )
     SELECT max(extract(epoch FROM now() - first.due_at))::float8 AS seconds
     FROM due JOIN endpoints e ON e.id = due.endpoint_id AND e.enabled
     CROSS JOIN LATERAL (
       SELECT due_at FROM queue
       WHERE is_due AND account_id = due.account_id AND endpoint_id = due.endpoint_id AND due_at <= now()
       ORDER BY due_at LIMIT 1
     ) first`,
  );
  return row?.seconds ?? 0;
}
