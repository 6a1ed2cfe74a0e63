import type { Database } from '#lib/database';

/** A delivery that this worker holds until its lease ends. */
export interface ClaimedDelivery {
  id: string;
  endpoint_id: string;
  event_id: string;
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
    `WITH RECURSIVE queue AS (
       (SELECT endpoint_id FROM deliveries WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.endpoint_id FROM deliveries d WHERE d.status = 'pending' AND d.endpoint_id > q.endpoint_id
               ORDER BY d.endpoint_id LIMIT 1)
       FROM queue q WHERE q.endpoint_id IS NOT NULL
     ), due AS MATERIALIZED (
       SELECT d.id FROM queue q
       JOIN endpoints e ON e.id = q.endpoint_id AND e.enabled
       LEFT JOIN unnest($1::uuid[], $2::integer[]) AS busy (endpoint_id, room) ON busy.endpoint_id = q.endpoint_id
       CROSS JOIN LATERAL (
         SELECT id FROM deliveries WHERE endpoint_id = q.endpoint_id AND status = 'pending' AND due_at <= now()
         ORDER BY due_at LIMIT coalesce(busy.room, $3) FOR UPDATE SKIP LOCKED
       ) d
       LIMIT ${CLAIM_BATCH}
     ), claimed AS (
       UPDATE deliveries SET due_at = now() + interval '${LEASE_MS} milliseconds', fencing_token = fencing_token + 1
       WHERE id = ANY (ARRAY(SELECT id FROM due))
       RETURNING id, endpoint_id, event_id, fencing_token, tries
     )
     SELECT c.*, e.url, e.sealed_secret, v.body,
       CASE WHEN e.previous_secret_until > now() THEN e.sealed_previous_secret END AS sealed_previous_secret
     FROM claimed c JOIN endpoints e ON e.id = c.endpoint_id
     CROSS JOIN LATERAL (SELECT body FROM events WHERE id = c.event_id LIMIT 1) v`,
    [[...roomOf.keys()], [...roomOf.values()], defaultRoom],
  );
}

/** Gives claimed deliveries back untried, for another worker to take at once. */
export async function releaseDeliveries(database: Database, deliveries: ClaimedDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await database.query(
    `UPDATE deliveries d SET due_at = now() FROM unnest($1::uuid[], $2::bigint[]) AS held (id, token)
     WHERE d.id = held.id AND d.fencing_token = held.token AND d.status = 'pending'`,
    [deliveries.map(({ id }) => id), deliveries.map(({ fencing_token }) => fencing_token)],
  );
}
