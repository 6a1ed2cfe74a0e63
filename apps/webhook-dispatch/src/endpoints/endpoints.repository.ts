import { RoostError, type WebhookEndpoint } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';

/** All SQL of `endpoints`, and of `agents`: those whose configuration has been turned into endpoints. */

export interface EndpointRow {
  id: string;
  account_id: string;
  source: WebhookEndpoint['source'];
  agent_ids: string[] | null;
  url: string;
  events: WebhookEndpoint['events'];
  description: string | null;
  enabled: boolean;
  disabled_reason: WebhookEndpoint['disabledReason'];
  failing_since: Date | null;
  sealed_secret: string;
  created_at: Date;
  updated_at: Date;
}

/** Without its secrets. */
export function toEndpoint(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    source: row.source,
    url: row.url,
    events: row.events,
    agentIds: row.agent_ids,
    description: row.description,
    enabled: row.enabled,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Reads an account's endpoint and locks it against other changes. Errors: NOT_FOUND. */
export function lockEndpoint(tx: Transaction, accountId: string, endpointId: string): Promise<EndpointRow> {
  return lockedEndpoint(tx, accountId, endpointId, 'FOR UPDATE');
}

/**
 * Reads it and keeps it from being deleted, for who puts deliveries into the queue. Outcomes are recorded meanwhile: they
 * hold the queue's rows first, and with `lockEndpoint` one would wait for the other. Errors: NOT_FOUND.
 */
export function keepEndpoint(tx: Transaction, accountId: string, endpointId: string): Promise<EndpointRow> {
  return lockedEndpoint(tx, accountId, endpointId, 'FOR KEY SHARE');
}

async function lockedEndpoint(
  tx: Transaction,
  accountId: string,
  endpointId: string,
  lock: 'FOR UPDATE' | 'FOR KEY SHARE',
): Promise<EndpointRow> {
  const [row] = await tx.query<EndpointRow>(`SELECT * FROM endpoints WHERE account_id = $1 AND id = $2 ${lock}`, [
    accountId,
    endpointId,
  ]);
  if (!row) throw noEndpoint();
  return row;
}

export function noEndpoint(): RoostError {
  return new RoostError('NOT_FOUND', 'there is no such webhook endpoint');
}

/** Errors: CONFLICT when nothing may be sent to it. */
export function assertEnabled(row: EndpointRow): void {
  if (!row.enabled)
    throw new RoostError('CONFLICT', 'the webhook endpoint is disabled; enable it first', [
      { field: 'enabled', reason: row.disabled_reason ?? 'disabled' },
    ]);
}

/** What counts for the quota: those of agents' configuration.webhooks go with their agents, which count themselves. */
export async function countEndpoints(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM endpoints WHERE account_id = $1 AND source = 'account'`,
    [accountId],
  );
  return row?.count ?? 0;
}

type NewEndpoint = Pick<WebhookEndpoint, 'agentIds' | 'url' | 'events' | 'description' | 'enabled'> & {
  id: string;
  sealedSecret: string;
};

export async function addEndpoint(tx: Transaction, accountId: string, endpoint: NewEndpoint): Promise<EndpointRow> {
  const { id, agentIds, url, events, description, enabled, sealedSecret } = endpoint;
  const [row] = await tx.query<EndpointRow>(
    `INSERT INTO endpoints (id, account_id, source, agent_ids, url, events, description, enabled, sealed_secret)
     VALUES ($1, $2, 'account', $3, $4, $5, $6, $7, $8) RETURNING *`,
    [id, accountId, agentIds, url, events, description, enabled, sealedSecret],
  );
  return row as EndpointRow;
}

/** All, or those that receive events of this agent. */
export function listEndpoints(database: Database, accountId: string, agentId?: string): Promise<EndpointRow[]> {
  return database.query<EndpointRow>(
    `SELECT * FROM endpoints WHERE account_id = $1 AND ($2::uuid IS NULL OR agent_ids IS NULL OR agent_ids @> ARRAY[$2::uuid])
     ORDER BY created_at, id LIMIT 1000`,
    [accountId, agentId ?? null],
  );
}

/** Those of the account that receive events of this agent and of no other. */
export function endpointsOfAgent(
  queries: Queries,
  accountId: string,
  agentId: string,
  lock: 'FOR UPDATE' | '' = '',
): Promise<EndpointRow[]> {
  return queries.query<EndpointRow>(
    `SELECT * FROM endpoints WHERE account_id = $1 AND source = 'account' AND agent_ids = ARRAY[$2::uuid]
     ORDER BY created_at, id LIMIT 1000 ${lock}`,
    [accountId, agentId],
  );
}

/** Errors: NOT_FOUND. */
export async function getEndpoint(database: Database, accountId: string, endpointId: string): Promise<EndpointRow> {
  const [row] = await database.query<EndpointRow>(`SELECT * FROM endpoints WHERE account_id = $1 AND id = $2`, [
    accountId,
    endpointId,
  ]);
  if (!row) throw noEndpoint();
  return row;
}

/** An endpoint that is enabled again begins healthy, and so does one with another URL. */
export async function updateEndpoint(
  tx: Transaction,
  endpointId: string,
  { url, events, agentIds, description, enabled }: Omit<NewEndpoint, 'id' | 'sealedSecret'>,
): Promise<EndpointRow> {
  const [row] = await tx.query<EndpointRow>(
    `UPDATE endpoints SET url = $2, events = $3, agent_ids = $4, description = $5, enabled = $6, updated_at = now(),
       disabled_reason = CASE WHEN enabled = $6 THEN disabled_reason END,
       failing_since = CASE WHEN $6 AND (NOT enabled OR url <> $2) THEN NULL ELSE failing_since END
     WHERE id = $1 RETURNING *`,
    [endpointId, url, events, agentIds, description, enabled],
  );
  return row as EndpointRow;
}

export async function deleteEndpoint(tx: Transaction, endpointId: string): Promise<void> {
  await tx.query(`DELETE FROM endpoints WHERE id = $1`, [endpointId]);
}

export async function deleteEndpointsOfAccount(tx: Transaction, accountId: string): Promise<void> {
  await tx.query(`DELETE FROM endpoints WHERE account_id = $1`, [accountId]);
}

/** For 24 hours the previous secret signs, too. */
export async function rotateSecret(tx: Transaction, endpointId: string, sealedSecret: string): Promise<EndpointRow> {
  const [row] = await tx.query<EndpointRow>(
    `UPDATE endpoints SET sealed_previous_secret = sealed_secret, previous_secret_until = now() + interval '24 hours',
       sealed_secret = $2, updated_at = now() WHERE id = $1 RETURNING *`,
    [endpointId, sealedSecret],
  );
  return row as EndpointRow;
}

/**
 * What an endpoint's deliveries were sent to. They are claimed ahead, with the URL of that moment: once it is another, what
 * comes of them says nothing of the endpoint.
 */
export interface Receiver {
  id: string;
  url: string;
  /** It answered 410. */
  isGone: boolean;
}

const receiverColumns = (receivers: Receiver[]) => [receivers.map(({ id }) => id), receivers.map(({ url }) => url)];

/** Healthy endpoints stay so: their rows are not written at every delivery. */
export async function markHealthy(tx: Transaction, receivers: Receiver[]): Promise<void> {
  await tx.query(
    `UPDATE endpoints e SET failing_since = NULL FROM unnest($1::uuid[], $2::text[]) AS receiver (id, url)
     WHERE e.id = receiver.id AND e.url = receiver.url AND e.failing_since IS NOT NULL`,
    receiverColumns(receivers),
  );
}

export async function markFailing(tx: Transaction, receivers: Receiver[]): Promise<void> {
  await tx.query(
    `UPDATE endpoints e SET failing_since = now() FROM unnest($1::uuid[], $2::text[]) AS receiver (id, url)
     WHERE e.id = receiver.id AND e.url = receiver.url AND e.failing_since IS NULL`,
    receiverColumns(receivers),
  );
}

interface DisabledEndpoint {
  id: string;
  account_id: string;
  agent_ids: string[] | null;
  source: string;
  disabled_reason: 'gone' | 'failing';
}

/** Disables those of `failed` that are gone or have failed for five days, and returns them. */
export function disableFailing(tx: Transaction, failed: Receiver[]): Promise<DisabledEndpoint[]> {
  return tx.query<DisabledEndpoint>(
    `UPDATE endpoints e SET enabled = false, updated_at = now(),
       disabled_reason = CASE WHEN receiver.is_gone THEN 'gone' ELSE 'failing' END
     FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS receiver (id, url, is_gone)
     WHERE e.id = receiver.id AND e.url = receiver.url AND e.enabled
       AND (receiver.is_gone OR e.failing_since < now() - interval '5 days')
     RETURNING e.id, e.account_id, e.agent_ids, e.source, e.disabled_reason`,
    [...receiverColumns(failed), failed.map(({ isGone }) => isGone)],
  );
}

/**
 * Until the transaction ends nobody else changes the agent's endpoints: a deletion waits for a refresh that asked
 * lifecycle before it, and none puts back what it deletes.
 */
export async function lockAgent(tx: Transaction, agentId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('agent ' || $1, 0))`, [agentId]);
}

/** Whether the agent's configuration has been turned into endpoints. */
export async function isAgentKnown(tx: Transaction, agentId: string): Promise<boolean> {
  const known = await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1`, [agentId]);
  return known.length > 0;
}

export async function addAgent(tx: Transaction, agentId: string, accountId: string): Promise<void> {
  await tx.query(`INSERT INTO agents (agent_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
    agentId,
    accountId,
  ]);
}

/** Deletes the agent's endpoint for events of this type unless it has this URL; returns the ids of what it deleted. */
export async function deleteOtherUrl(tx: Transaction, agentId: string, type: string, url?: string): Promise<string[]> {
  const deleted = await tx.query<{ id: string }>(
    `DELETE FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$1::uuid] AND events = ARRAY[$2] AND url IS DISTINCT FROM $3
     RETURNING id`,
    [agentId, type, url ?? null],
  );
  return deleted.map(({ id }) => id);
}

/** Adds the agent's endpoint for events of this type unless there is one. */
export async function addAgentEndpoint(
  tx: Transaction,
  { accountId, agentId }: { accountId: string; agentId: string },
  { id, url, type, sealedSecret }: { id: string; url: string; type: string; sealedSecret: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO endpoints (id, account_id, source, agent_ids, url, events, sealed_secret)
     SELECT $1, $2, 'agent', ARRAY[$3::uuid], $4, ARRAY[$5], $6
     WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$3::uuid] AND events = ARRAY[$5])`,
    [id, accountId, agentId, url, type, sealedSecret],
  );
}

/** Deletes what belonged to a deleted agent; the history stays until its time is over. */
export async function deleteAgent(tx: Transaction, agentId: string): Promise<void> {
  // The agent first, as when deliveries are planned: in another order one would wait for the other.
  await tx.query(`DELETE FROM agents WHERE agent_id = $1`, [agentId]);
  await tx.query(`DELETE FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$1::uuid]`, [agentId]);
}
