import type { Database } from '#lib/database';
import { endHeld, markCancelled } from './cancel-deliveries.js';

/** A delivery that this worker holds until its lease ends. */
export interface ClaimedDelivery {
  id: string;
  account_id: string;
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
/** Most that one claim takes of one account when five or more wait; of fewer each has an equal part. */
export const ACCOUNT_BATCH = 100;

/** How many more deliveries this process takes: by id for what it holds some of already, `default` for all others. */
export interface Room {
  of: Map<string, number>;
  default: number;
}

export interface ClaimRequest {
  endpoints: Room;
  accounts: Room;
  /** The account that was served last: those behind it, in the order of ids and around, come first. */
  after: string;
}

/**
 * Claims due deliveries of enabled endpoints. Accounts take turns (ADR 0032). Within one, endpoints of which this
 * process holds least come first, and of each the oldest deliveries: a long queue hides no other.
 */
export function claimDeliveries(
  database: Database,
  { endpoints, accounts, after }: ClaimRequest,
): Promise<ClaimedDelivery[]> {
  return database.query<ClaimedDelivery>(
    `WITH RECURSIVE waiting AS (
       (SELECT endpoint_id FROM queue ORDER BY endpoint_id LIMIT 1)
       UNION ALL
       SELECT (SELECT q.endpoint_id FROM queue q WHERE q.endpoint_id > w.endpoint_id ORDER BY q.endpoint_id LIMIT 1)
       FROM waiting w WHERE w.endpoint_id IS NOT NULL
     ), accounts AS MATERIALIZED (
       SELECT e.account_id, array_agg(e.id ORDER BY room DESC, e.id) AS endpoints,
         array_agg(room ORDER BY room DESC, e.id) AS rooms
       FROM waiting w JOIN endpoints e ON e.id = w.endpoint_id AND e.enabled
       LEFT JOIN unnest($1::uuid[], $2::integer[]) AS busy (endpoint_id, left_over) ON busy.endpoint_id = e.id
       CROSS JOIN LATERAL (SELECT coalesce(busy.left_over, $3) AS room) r
       WHERE room > 0 GROUP BY e.account_id
     ), due AS MATERIALIZED (
       SELECT d.delivery_id FROM (
         SELECT a.*, least(coalesce(busy.room, $6), greatest(${ACCOUNT_BATCH}, ${CLAIM_BATCH} / count(*) OVER ())) AS room
         FROM accounts a
         LEFT JOIN unnest($4::uuid[], $5::integer[]) AS busy (account_id, room) ON busy.account_id = a.account_id
         ORDER BY a.account_id <= $7, a.account_id
       ) a
       CROSS JOIN LATERAL (
         SELECT q.delivery_id FROM unnest(a.endpoints, a.rooms) AS endpoint (id, room)
         CROSS JOIN LATERAL (
           SELECT delivery_id FROM queue
           WHERE endpoint_id = endpoint.id AND due_at <= now() AND leased_until <= now()
           ORDER BY due_at LIMIT endpoint.room FOR UPDATE SKIP LOCKED
         ) q LIMIT a.room
       ) d
       LIMIT ${CLAIM_BATCH}
     ), claimed AS (
       UPDATE queue SET leased_until = now() + interval '${LEASE_MS} milliseconds',
         fencing_token = (SELECT nextval('fencing_tokens'))
       WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM due))
       RETURNING delivery_id AS id, account_id, endpoint_id, event_id, fencing_token, tries
     )
     SELECT c.*, e.url, e.sealed_secret, v.body, v.agent_id,
       CASE WHEN e.previous_secret_until > now() THEN e.sealed_previous_secret END AS sealed_previous_secret
     FROM claimed c JOIN endpoints e ON e.id = c.endpoint_id
     CROSS JOIN LATERAL (SELECT body, agent_id FROM events WHERE id = c.event_id LIMIT 1) v`,
    [
      [...endpoints.of.keys()],
      [...endpoints.of.values()],
      endpoints.default,
      [...accounts.of.keys()],
      [...accounts.of.values()],
      accounts.default,
      after,
    ],
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
