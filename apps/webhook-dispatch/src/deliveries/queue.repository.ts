import type { Database, Transaction } from '#lib/database';
import { randomUUID } from 'node:crypto';
import { type DeliveryRow, RETENTION_DAYS } from './deliveries.repository.js';

/** All SQL of `queue`, what waits to be sent, and of `deleted_agents`, whose deliveries are cancelled. */

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
        SELECT e.id, room.capacity FROM (
          SELECT endpoint_id FROM endpoints_behind UNION ALL SELECT endpoint_id FROM endpoints_around
        ) due
        CROSS JOIN LATERAL (SELECT id FROM endpoints WHERE id = due.endpoint_id AND enabled LIMIT 1) e
        CROSS JOIN LATERAL (
          SELECT coalesce(($1::jsonb ->> e.id::text)::integer, $2::integer) AS capacity OFFSET 0
        ) room
        CROSS JOIN LATERAL (
          SELECT FROM queue WHERE account_id = waiting.account_id AND endpoint_id = e.id AND ${CAN_BE_CLAIMED} LIMIT 1
        ) first
        WHERE room.capacity > 0 LIMIT ${CLAIM_ENDPOINTS}
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
 * after what workers hold at this moment: they are sending it, and it cannot be called back. A row of the queue that is
 * leased gets `due_at = 'infinity'`: nobody claims it again, and its holder's outcome ends it.
 *
 * The caller holds the agent's lock (`lockAgent`), so that nothing is planned in between. Reads the agent's
 * history by its index, at most 30 days of it.
 */
export async function cancelDeliveries(
  tx: Transaction,
  { agentId, accountId, eventId }: { agentId: string; accountId: string; eventId: string },
): Promise<void> {
  const rows = await tx.query<{ id: string; is_leased: boolean }>(
    `UPDATE queue q SET due_at = 'infinity' FROM deliveries d
     WHERE d.account_id = $1 AND d.agent_id = $2 AND d.status = 'pending' AND d.event_id <> $3 AND q.delivery_id = d.id
     RETURNING q.delivery_id AS id, q.leased_until > now() AS is_leased`,
    [accountId, agentId, eventId],
  );
  const leased = rows.filter((row) => row.is_leased).map(({ id }) => id);
  const waiting = rows.filter((row) => !row.is_leased).map(({ id }) => id);
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
    [accountId, agentId, eventId, leased.length, leased],
  );
}

/** What became of deliveries that were leased when their agent was deleted; the last one lets `agent.deleted` go. */
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
