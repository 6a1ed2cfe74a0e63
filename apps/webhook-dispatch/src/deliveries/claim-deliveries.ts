import type { Database } from '#lib/database';
import { endHeld, markCancelled } from './cancel-deliveries.js';

/** A delivery that this worker holds until its lease ends. */
export interface ClaimedDelivery {
  id: string;
  endpoint_id: string;
  event_id: string;
  agent_id: string | null;
  /** Compared when the outcome is recorded: a worker whose lease was taken over records nothing. */
  fencing_token: string;
  tries: number;
  url: string;
  body: string;
  sealed_secret: string;
  /** While a rotation lasts. */
  sealed_previous_secret: string | null;
}

export const LEASE_MS = 120_000;
/** Most that one claim takes. */
export const CLAIM_BATCH = 500;

/**
 * Claims due deliveries of enabled endpoints, oldest first per endpoint, at most `roomOf` an endpoint (`defaultRoom` for
 * those it does not name). Every endpoint is its own queue: a long one hides no other.
 */
export function claimDeliveries(
  database: Database,
  roomOf: Map<string, number>,
  defaultRoom: number,
): Promise<ClaimedDelivery[]> {
  return database.query<ClaimedDelivery>(
    `WITH RECURSIVE waiting AS (
       (SELECT endpoint_id FROM queue ORDER BY endpoint_id LIMIT 1)
       UNION ALL
       SELECT (SELECT q.endpoint_id FROM queue q WHERE q.endpoint_id > w.endpoint_id ORDER BY q.endpoint_id LIMIT 1)
       FROM waiting w WHERE w.endpoint_id IS NOT NULL
     ), due AS MATERIALIZED (
       SELECT d.delivery_id FROM waiting w
       JOIN endpoints e ON e.id = w.endpoint_id AND e.enabled
       LEFT JOIN unnest($1::uuid[], $2::integer[]) AS busy (endpoint_id, room) ON busy.endpoint_id = w.endpoint_id
       CROSS JOIN LATERAL (
         SELECT delivery_id FROM queue
         WHERE endpoint_id = w.endpoint_id AND due_at <= now() AND leased_until <= now()
         ORDER BY due_at LIMIT coalesce(busy.room, $3) FOR UPDATE SKIP LOCKED
       ) d
       LIMIT ${CLAIM_BATCH}
     ), claimed AS (
       UPDATE queue SET leased_until = now() + interval '${LEASE_MS} milliseconds',
         fencing_token = (SELECT nextval('fencing_tokens'))
       WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM due))
       RETURNING delivery_id AS id, endpoint_id, event_id, fencing_token, tries
     )
     SELECT c.*, e.url, e.sealed_secret, v.body, v.agent_id,
       CASE WHEN e.previous_secret_until > now() THEN e.sealed_previous_secret END AS sealed_previous_secret
     FROM claimed c JOIN endpoints e ON e.id = c.endpoint_id
     CROSS JOIN LATERAL (SELECT body, agent_id FROM events WHERE id = c.event_id LIMIT 1) v`,
    [[...roomOf.keys()], [...roomOf.values()], defaultRoom],
  );
}

/** Gives claimed deliveries back untried, for another worker to take at once; those of deleted agents are cancelled. */
export async function releaseDeliveries(database: Database, deliveries: ClaimedDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await database.transaction(async (tx) => {
    const released = await tx.query<{ id: string; is_cancelled: boolean }>(
      `UPDATE queue q SET leased_until = '-infinity' FROM unnest($1::uuid[], $2::bigint[]) AS held (id, token)
       WHERE q.delivery_id = held.id AND q.fencing_token = held.token
       RETURNING q.delivery_id AS id, q.due_at = 'infinity' AS is_cancelled`,
      [deliveries.map(({ id }) => id), deliveries.map(({ fencing_token }) => fencing_token)],
    );
    const cancelled = released.filter((row) => row.is_cancelled).map(({ id }) => id);
    await endHeld(tx, await markCancelled(tx, cancelled));
  });
}
