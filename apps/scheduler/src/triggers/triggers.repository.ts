import { RoostError, type Trigger } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import { findOwned, type Owner, pageOfOwned } from '../agents/owned-rows.repository.js';

export interface TriggerRow {
  id: string;
  account_id: string;
  agent_id: string;
  name: string;
  message_template: string;
  enabled: boolean;
  secret: string;
  previous_secret: string | null;
  previous_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** All SQL of `triggers`. */

export function toTrigger(row: TriggerRow, publicUrl: string): Trigger {
  return {
    uuid: row.id,
    id: row.id,
    agentUuid: row.agent_id,
    name: row.name,
    messageTemplate: row.message_template,
    enabled: row.enabled,
    webhookUrl: `${publicUrl.replace(/\/+$/, '')}/v1/webhooks/triggers/${row.id}`,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The columns that hold secrets, for a change of the master key. */
export const sealedTriggerSecrets = ['secret', 'previous_secret'].map((column) => ({
  table: 'triggers',
  column,
  id: 'id::text',
  context: 'triggers',
}));

/** What a trigger's secrets are bound to when they are sealed. */
export const secretContext = (triggerId: string) => `triggers:${triggerId}`;

/** Errors: NOT_FOUND, the same for an unknown trigger, another agent's and another account's. */
export const findTrigger = (
  queries: Queries,
  { agentId, triggerId }: { agentId: string; triggerId: string },
  accountId: string,
  lock: 'FOR UPDATE' | '' = '',
): Promise<TriggerRow> => findOwned(queries, 'triggers', triggerId, { agentId, accountId }, lock);

/** One page of an agent's triggers, and how many there are in all. */
export const pageOfTriggers = (database: Database, owner: Owner, page: { page: number; limit: number }) =>
  pageOfOwned<TriggerRow>(database, 'triggers', owner, page);

export async function insertTrigger(
  tx: Transaction,
  row: Pick<TriggerRow, 'id' | 'account_id' | 'agent_id' | 'name' | 'message_template' | 'enabled' | 'secret'>,
): Promise<TriggerRow> {
  const [inserted] = await tx.query<TriggerRow>(
    `INSERT INTO triggers (id, account_id, agent_id, name, message_template, enabled, secret)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *`,
    [row.id, row.account_id, row.agent_id, row.name, row.message_template, row.enabled, row.secret],
  );
  return inserted as TriggerRow;
}

export async function updateTrigger(
  tx: Transaction,
  { id, name, message_template, enabled }: Pick<TriggerRow, 'id' | 'name' | 'message_template' | 'enabled'>,
): Promise<TriggerRow> {
  const [saved] = await tx.query<TriggerRow>(
    `UPDATE triggers SET name = $2, message_template = $3, enabled = $4, updated_at = now() WHERE id = $1 RETURNING *`,
    [id, name, message_template, enabled],
  );
  return saved as TriggerRow;
}

/** Replaces the secret; the one before works for 24 hours more. */
export async function replaceSecret(tx: Transaction, id: string, sealedSecret: string): Promise<TriggerRow> {
  const [row] = await tx.query<TriggerRow>(
    `UPDATE triggers SET previous_secret = secret, previous_until = now() + interval '24 hours', secret = $2,
       updated_at = now() WHERE id = $1 RETURNING *`,
    [id, sealedSecret],
  );
  return row as TriggerRow;
}

export async function deleteTrigger(tx: Transaction, id: string): Promise<void> {
  await tx.query(`DELETE FROM triggers WHERE id = $1`, [id]);
}

/** How many seconds of its allowance a trigger has spent in advance. */
const SECONDS_AHEAD = `CASE WHEN allowed_at = '-infinity' THEN 0 ELSE extract(epoch FROM allowed_at - clock_timestamp()) END::float`;

/** Of any account: a webhook names only the trigger. Errors: NOT_FOUND. */
export async function findForWebhook(database: Database, triggerId: string): Promise<TriggerRow & { ahead: number }> {
  const [trigger] = await database.query<TriggerRow & { ahead: number }>(
    `SELECT *, ${SECONDS_AHEAD} AS ahead FROM triggers WHERE id = $1`,
    [triggerId],
  );
  if (!trigger) throw new RoostError('NOT_FOUND', 'there is no such trigger');
  return trigger;
}

/** Locks the trigger, so that deliveries with one id come one by one; returns its seconds ahead. Errors: NOT_FOUND. */
export async function lockSecondsAhead(tx: Transaction, triggerId: string): Promise<number> {
  const [trigger] = await tx.query<{ ahead: number }>(
    `SELECT ${SECONDS_AHEAD} AS ahead FROM triggers WHERE id = $1 FOR UPDATE`,
    [triggerId],
  );
  if (!trigger) throw new RoostError('NOT_FOUND', 'there is no such trigger');
  return trigger.ahead;
}

/** Takes one from the allowance: of a webhook that was read and is refused, too. */
export async function countDelivery(queries: Queries, triggerId: string): Promise<void> {
  await queries.query(
    `UPDATE triggers SET allowed_at = GREATEST(allowed_at, clock_timestamp()) + interval '1 second' WHERE id = $1`,
    [triggerId],
  );
}

/** Secrets that were replaced and do not work any more. */
export async function sweepReplacedSecrets(queries: Queries): Promise<void> {
  await queries.query(`UPDATE triggers SET previous_secret = NULL, previous_until = NULL WHERE previous_until < now()`);
}

export async function countTriggers(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM triggers WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}
