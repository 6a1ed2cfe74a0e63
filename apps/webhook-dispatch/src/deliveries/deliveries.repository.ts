import { type listWebhookDeliveries, type replayWebhooks, RoostError, type WebhookDelivery } from '#lib/contracts';
import { currentTraceparent } from '#lib/call-context';
import type { Database, Transaction } from '#lib/database';
import type { z } from 'zod';

/** All SQL of `deliveries` (the history) with their `attempts` and `events`; how tries are recorded: outcomes.repository.ts. */

const MAX_REPLAY = 10_000;
/** After so many days deliveries, their attempts and their events are deleted. */
export const RETENTION_DAYS = 30;
const EXPIRED = `created_at < now() - interval '${RETENTION_DAYS} days'`;

export interface DeliveryRow {
  id: string;
  endpoint_id: string;
  event_id: string;
  agent_id: string | null;
  event_type: string;
  status: WebhookDelivery['status'];
  attempt_count: number;
  last_response_status: number | null;
  /** Of its row in the queue, while there is one. */
  next_attempt_at: Date | null;
  created_at: Date;
  finished_at: Date | null;
}

export interface AttemptRow {
  number: number;
  started_at: Date;
  duration_ms: number;
  response_status: number | null;
  response_body: string;
  error: string | null;
}

export function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    webhookId: webhookIdOf(row.event_id),
    agentId: row.agent_id,
    event: row.event_type,
    status: row.status,
    attemptCount: row.attempt_count,
    lastResponseStatus: row.last_response_status,
    nextAttemptAt: row.next_attempt_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export function noDelivery(): RoostError {
  return new RoostError('NOT_FOUND', 'there is no such webhook delivery');
}

/** The same for every try of an event. */
export const webhookIdOf = (eventId: string): string => `evt_${eventId}`;

/**
 * The history of account $1, as d. What of it was not delivered is a small part, and found without a look at the rest.
 * `status` is a parameter's number, of one that has this value.
 */
function historyOf(status: WebhookDelivery['status'] | undefined, parameter: number): { rows: string; seq: string } {
  if (status === undefined || status === 'pending' || status === 'succeeded')
    return { rows: 'deliveries d', seq: 'd.seq' };
  const mine = `u.account_id = $1 AND u.status = $${parameter}`;
  return { rows: `undelivered u JOIN deliveries d ON d.id = u.delivery_id AND ${mine}`, seq: 'u.seq' };
}

/** One more than `limit`, if there are. Only what is asked for is in the statement, so that each question has its index. */
export function listDeliveries(
  database: Database,
  accountId: string,
  query: z.output<typeof listWebhookDeliveries.input>,
): Promise<DeliveryRow[]> {
  const values: unknown[] = [accountId];
  const conditions = ['d.account_id = $1'];
  const narrow = (condition: string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  narrow('d.agent_id = ?', query.agentId);
  narrow('d.endpoint_id = ?', query.endpointId);
  narrow('d.status = ?', query.status);
  const { rows, seq } = historyOf(query.status, values.length);
  narrow('d.event_type = ?', query.event);
  narrow('d.created_at >= ?', query.since);
  narrow('d.created_at < ?', query.until);
  narrow(`${seq} < (SELECT seq FROM deliveries WHERE id = ? AND account_id = $1)`, query.before);
  values.push(query.limit + 1);
  return database.query<DeliveryRow>(
    `SELECT d.*, NULLIF(q.due_at, 'infinity') AS next_attempt_at FROM ${rows} LEFT JOIN queue q ON q.delivery_id = d.id
     WHERE ${conditions.join(' AND ')} ORDER BY ${seq} DESC LIMIT $${values.length}`,
    values,
  );
}

/** With the text that is sent. Errors: NOT_FOUND. */
export async function getDelivery(database: Database, accountId: string, deliveryId: string) {
  const [row] = await database.query<DeliveryRow & { body: string }>(
    `SELECT d.*, NULLIF(q.due_at, 'infinity') AS next_attempt_at, v.body FROM deliveries d JOIN events v ON v.id = d.event_id
     LEFT JOIN queue q ON q.delivery_id = d.id WHERE d.account_id = $1 AND d.id = $2`,
    [accountId, deliveryId],
  );
  if (!row) throw noDelivery();
  return row;
}

/** Newest first. */
export function listAttempts(database: Database, accountId: string, deliveryId: string): Promise<AttemptRow[]> {
  return database.query<AttemptRow>(
    `SELECT * FROM attempts WHERE account_id = $1 AND delivery_id = $2 ORDER BY number DESC LIMIT 100`,
    [accountId, deliveryId],
  );
}

/** Errors: NOT_FOUND. */
export async function endpointOfDelivery(tx: Transaction, accountId: string, deliveryId: string): Promise<string> {
  const [found] = await tx.query<DeliveryRow>(`SELECT * FROM deliveries WHERE account_id = $1 AND id = $2`, [
    accountId,
    deliveryId,
  ]);
  if (!found) throw noDelivery();
  return found.endpoint_id;
}

/** The deliveries that a replay is of, oldest first. */
export async function idsToReplay(
  tx: Transaction,
  accountId: string,
  { endpointId, since, until, status }: z.output<typeof replayWebhooks.input>,
): Promise<string[]> {
  const history = historyOf(status, 5);
  const chosen = await tx.query<{ id: string }>(
    `SELECT d.id FROM ${history.rows} WHERE d.account_id = $1 AND d.endpoint_id = $2 AND d.created_at >= $3
       AND ($4::timestamptz IS NULL OR d.created_at < $4) AND ($5::text IS NULL OR d.status = $5)
     ORDER BY ${history.seq} LIMIT ${MAX_REPLAY}`,
    [accountId, endpointId, since, until ?? null, status ?? null],
  );
  return chosen.map(({ id }) => id);
}

interface StoredEvent {
  id: string;
  accountId: string;
  agentId: string | null;
  type: string;
  /** The text that is signed and sent. */
  body: string;
}

/**
 * Plans a delivery to every enabled endpoint that wants the event and stores the event if there is one. Repeating it
 * changes nothing. Nothing is planned for an agent whose endpoints are not there (`AgentEndpointsService.ensure`): it was
 * deleted, and `agent.deleted` is the last of its events. The locks make a deletion that is under way, of the agent or of
 * an endpoint, end first, or see what is planned here. Returns whether there is something to deliver now.
 */
export async function planDeliveries(tx: Transaction, event: StoredEvent): Promise<boolean> {
  const stored = await tx.query(
    `WITH agent AS MATERIALIZED (
       SELECT 1 FROM agents WHERE agent_id = $3::uuid FOR KEY SHARE
     ), planned AS (
       INSERT INTO deliveries (account_id, endpoint_id, event_id, agent_id, event_type)
       SELECT account_id, id, $1, $3, $4 FROM endpoints
       WHERE account_id = $2 AND enabled AND (events @> ARRAY[$4] OR events @> ARRAY['*'])
         AND (agent_ids IS NULL OR agent_ids @> ARRAY[$3::uuid])
         AND ($3::uuid IS NULL OR $4 = 'agent.deleted' OR EXISTS (SELECT FROM agent))
       FOR KEY SHARE
       ON CONFLICT DO NOTHING RETURNING 1
     )
     INSERT INTO events (id, account_id, agent_id, type, body, traceparent)
     SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM planned) ON CONFLICT DO NOTHING RETURNING id`,
    [event.id, event.accountId, event.agentId, event.type, event.body, currentTraceparent() ?? null],
  );
  return stored.length > 0;
}

/** Plans the delivery of an event of the account to this endpoint alone, whatever events it wants. */
export async function planForEndpoint(
  tx: Transaction,
  endpointId: string,
  { id, accountId, type, body }: Omit<StoredEvent, 'agentId'>,
): Promise<DeliveryRow> {
  await tx.query(`INSERT INTO events (id, account_id, type, body, traceparent) VALUES ($1, $2, $3, $4, $5)`, [
    id,
    accountId,
    type,
    body,
    currentTraceparent() ?? null,
  ]);
  const [row] = await tx.query<DeliveryRow>(
    `INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) VALUES ($1, $2, $3, $4)
     RETURNING *, created_at AS next_attempt_at`,
    [accountId, endpointId, id, type],
  );
  return row as DeliveryRow;
}

export async function deleteOfEndpoint(tx: Transaction, endpointId: string): Promise<void> {
  // First, as when an outcome is recorded: one that is under way waits here, and then finds nothing to add to.
  await tx.query(`DELETE FROM queue USING deliveries d WHERE d.endpoint_id = $1 AND queue.delivery_id = d.id`, [
    endpointId,
  ]);
  await tx.query(`DELETE FROM attempts USING deliveries d WHERE d.endpoint_id = $1 AND attempts.delivery_id = d.id`, [
    endpointId,
  ]);
  await tx.query(`DELETE FROM deliveries WHERE endpoint_id = $1`, [endpointId]);
}

/** Up to `limit` of an account's deliveries with attempts and events; returns how many. */
export async function deleteSomeOfAccount(tx: Transaction, accountId: string, limit: number): Promise<number> {
  const removed = await tx.query<{ id: string; event_id: string }>(
    `DELETE FROM deliveries WHERE id = ANY(ARRAY(SELECT id FROM deliveries WHERE account_id = $1 ORDER BY seq LIMIT $2))
     RETURNING id, event_id`,
    [accountId, limit],
  );
  await tx.query(`DELETE FROM attempts WHERE delivery_id = ANY($1::uuid[])`, [removed.map(({ id }) => id)]);
  await tx.query(`DELETE FROM events WHERE id = ANY($1::uuid[]) AND account_id = $2`, [
    removed.map(({ event_id }) => event_id),
    accountId,
  ]);
  return removed.length;
}

/** Up to `limit` deliveries that are too old, with their attempts; returns how many. */
export async function deleteOldDeliveries(database: Database, limit: number): Promise<number> {
  const removed = await database.query(
    `WITH old AS (
       DELETE FROM deliveries WHERE id = ANY(ARRAY(SELECT id FROM deliveries WHERE ${EXPIRED} ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))
       RETURNING id
     ), history AS (DELETE FROM attempts USING old WHERE delivery_id = old.id)
     SELECT id FROM old`,
  );
  return removed.length;
}

/** Up to `limit` events that are too old and of which no delivery is left; returns how many. */
export async function deleteOldEvents(database: Database, limit: number): Promise<number> {
  const removed = await database.query(
    `DELETE FROM events WHERE id = ANY(ARRAY(
       SELECT id FROM events v WHERE ${EXPIRED} AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = v.id) LIMIT ${limit}
     )) RETURNING id`,
  );
  return removed.length;
}
