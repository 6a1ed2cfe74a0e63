import type { Database } from '#lib/database';
import { randomUUID } from 'node:crypto';

/** How deliveries are claimed from `queue`: fairly among accounts and endpoints, under a lease with a fencing token. */

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
  /** Of its event; the attempts belong to it. */
  traceparent: string | null;
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
export interface Capacity {
  of: Map<string, number>;
  default: number;
}

export interface ClaimRequest {
  endpoints: Capacity;
  accounts: Capacity;
  /** The account that was served last: those behind it, in the order of ids and around, come first. */
  after: string;
}

/** Retries that one statement takes into the queue's due part; what is beyond is taken by the next. */
const RETRIES = 5_000;

/** Has deliveries claimed whose next try has come: those that wait for one are not among what claims look through. */
export async function queueDueRetries(database: Database): Promise<void> {
  await database.query(
    `UPDATE queue SET is_due = true WHERE delivery_id = ANY(ARRAY(
       SELECT delivery_id FROM queue WHERE NOT is_due AND due_at <= now() ORDER BY due_at LIMIT ${RETRIES} FOR UPDATE SKIP LOCKED))`,
  );
}

/** Accounts, and of each endpoints, that one claim looks at: each of them has something that can be claimed. */
const CLAIM_ENDPOINTS = 100;

const CAN_BE_CLAIMED = `is_due AND due_at <= now() AND leased_until <= now()`;

/** Accounts with deliveries that are due, one look at the index for each, as many as are asked for. */
const accountsDue = (name: string, range: string) => `
  ${name} AS (
    (SELECT account_id FROM queue WHERE is_due AND ${range} ORDER BY account_id LIMIT 1)
    UNION ALL
    SELECT next.account_id FROM ${name} before CROSS JOIN LATERAL (
      SELECT account_id FROM queue WHERE is_due AND ${range} AND account_id > before.account_id ORDER BY account_id LIMIT 1
    ) next
  )`;

/** The same of an account's endpoints. */
const endpointsDue = (name: string, range: string) => `
  ${name} AS (
    (SELECT endpoint_id FROM queue WHERE is_due AND account_id = waiting.account_id AND ${range} ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT next.endpoint_id FROM ${name} before CROSS JOIN LATERAL (
      SELECT endpoint_id FROM queue
      WHERE is_due AND account_id = waiting.account_id AND ${range} AND endpoint_id > before.endpoint_id
      ORDER BY endpoint_id LIMIT 1
    ) next
  )`;

/**
 * Accounts are looked at until there are enough, so that a claim costs the same however many wait. Of an account with more
 * endpoints than are looked at those behind $6 come first, which is another each time.
 */
const CLAIM = `
  WITH RECURSIVE ${accountsDue('behind', 'account_id > $5::uuid')}, ${accountsDue('around', 'account_id <= $5::uuid')},
  accounts AS MATERIALIZED (
    SELECT waiting.account_id, of_account.* FROM (
      SELECT account_id FROM behind UNION ALL SELECT account_id FROM around
    ) waiting
    CROSS JOIN LATERAL (
      SELECT coalesce(($3::jsonb ->> waiting.account_id::text)::integer, $4::integer) AS account_capacity OFFSET 0
    ) free
    CROSS JOIN LATERAL (
      SELECT free.account_capacity, array_agg(id ORDER BY capacity DESC, id) AS endpoints, array_agg(capacity ORDER BY capacity DESC, id) AS capacities
      FROM (
        WITH RECURSIVE ${endpointsDue('endpoints_behind', 'endpoint_id > $6::uuid')},
          ${endpointsDue('endpoints_around', 'endpoint_id <= $6::uuid')}
        SELECT e.id, of_endpoint.capacity FROM (
          SELECT endpoint_id FROM endpoints_behind UNION ALL SELECT endpoint_id FROM endpoints_around
        ) due
        CROSS JOIN LATERAL (SELECT id FROM endpoints WHERE id = due.endpoint_id AND enabled LIMIT 1) e
        CROSS JOIN LATERAL (
          SELECT coalesce(($1::jsonb ->> e.id::text)::integer, $2::integer) AS capacity OFFSET 0
        ) of_endpoint
        CROSS JOIN LATERAL (
          SELECT FROM queue WHERE account_id = waiting.account_id AND endpoint_id = e.id AND ${CAN_BE_CLAIMED} LIMIT 1
        ) first
        WHERE of_endpoint.capacity > 0 LIMIT ${CLAIM_ENDPOINTS}
      ) endpoint
    ) of_account
    WHERE free.account_capacity > 0 AND of_account.endpoints IS NOT NULL LIMIT ${CLAIM_BATCH}
  ), due AS MATERIALIZED (
    SELECT d.delivery_id FROM (
      SELECT a.*, least(a.account_capacity, greatest(${ACCOUNT_BATCH}, ${CLAIM_BATCH} / count(*) OVER ())) AS capacity
      FROM accounts a ORDER BY a.account_id <= $5::uuid, a.account_id
    ) a
    CROSS JOIN LATERAL (
      SELECT q.delivery_id FROM unnest(a.endpoints, a.capacities) AS endpoint (id, capacity)
      CROSS JOIN LATERAL (
        SELECT delivery_id FROM queue
        WHERE account_id = a.account_id AND endpoint_id = endpoint.id AND ${CAN_BE_CLAIMED}
        ORDER BY due_at LIMIT endpoint.capacity FOR UPDATE SKIP LOCKED
      ) q LIMIT a.capacity
    ) d
    LIMIT ${CLAIM_BATCH}
  ), claimed AS (
    UPDATE queue SET leased_until = now() + interval '${LEASE_MS} milliseconds',
      fencing_token = (SELECT nextval('fencing_tokens'))
    WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM due))
    RETURNING delivery_id AS id, account_id, endpoint_id, event_id, fencing_token, tries
  )
  SELECT c.*, e.url, e.sealed_secret, v.body, v.agent_id, v.traceparent,
    CASE WHEN e.previous_secret_until > now() THEN e.sealed_previous_secret END AS sealed_previous_secret
  FROM claimed c CROSS JOIN LATERAL (SELECT * FROM endpoints WHERE id = c.endpoint_id LIMIT 1) e
  CROSS JOIN LATERAL (SELECT body, agent_id, traceparent FROM events WHERE id = c.event_id LIMIT 1) v`;

/**
 * Claims due deliveries of enabled endpoints. Accounts are served round robin (decision 0032). Within one, endpoints of which this
 * process has fewest open come first, and of each the oldest deliveries: a long queue hides no other.
 */
export function claimDeliveries(
  database: Database,
  { endpoints, accounts, after }: ClaimRequest,
): Promise<ClaimedDelivery[]> {
  return database.query<ClaimedDelivery>(CLAIM, [
    JSON.stringify(Object.fromEntries(endpoints.of)),
    endpoints.default,
    JSON.stringify(Object.fromEntries(accounts.of)),
    accounts.default,
    after,
    randomUUID(),
  ]);
}
