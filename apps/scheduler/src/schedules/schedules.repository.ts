import type { Schedule } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import { findOwned, type Owner, pageOfOwned } from '../agents/owned-rows.repository.js';
import { fairBatch } from '../firing/fair-batch.js';

export interface ScheduleRow {
  id: string;
  account_id: string;
  agent_id: string;
  name: string;
  cron_expression: string;
  message_template: string;
  timezone: string;
  enabled: boolean;
  queue_mode: Schedule['queueMode'];
  overlap: Schedule['overlap'];
  catch_up: Schedule['catchUp'];
  last_run_at: Date | null;
  next_run_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export type DueSchedule = ScheduleRow & { agent_status: string | null };

type Fields = Pick<
  Schedule,
  'name' | 'cronExpression' | 'messageTemplate' | 'timezone' | 'enabled' | 'queueMode' | 'overlap' | 'catchUp'
>;

/** All SQL of `schedules`. */

export function toSchedule(row: ScheduleRow): Schedule {
  return {
    uuid: row.id,
    id: row.id,
    agentUuid: row.agent_id,
    name: row.name,
    cronExpression: row.cron_expression,
    messageTemplate: row.message_template,
    timezone: row.timezone,
    enabled: row.enabled,
    queueMode: row.queue_mode,
    overlap: row.overlap,
    catchUp: row.catch_up,
    lastRunAt: row.last_run_at,
    nextRunAt: row.next_run_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Errors: NOT_FOUND, the same for an unknown schedule, another agent's and another account's. */
export const findSchedule = (
  queries: Queries,
  { agentId, scheduleId }: { agentId: string; scheduleId: string },
  accountId: string,
  lock: 'FOR UPDATE' | '' = '',
): Promise<ScheduleRow> => findOwned(queries, 'schedules', scheduleId, { agentId, accountId }, lock);

/** One page of an agent's schedules, and how many there are in all. */
export const pageOfSchedules = (database: Database, owner: Owner, page: { page: number; limit: number }) =>
  pageOfOwned<ScheduleRow>(database, 'schedules', owner, page);

export async function insertSchedule(
  tx: Transaction,
  id: string,
  owner: { agentId: string; accountId: string },
  fields: Fields,
  nextRunAt: Date | null,
): Promise<ScheduleRow> {
  const [row] = await tx.query<ScheduleRow>(
    `INSERT INTO schedules (id, account_id, agent_id, name, cron_expression, message_template, timezone, enabled,
       queue_mode, overlap, catch_up, next_run_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *`,
    [id, owner.accountId, owner.agentId, ...valuesOf(fields), nextRunAt],
  );
  return row as ScheduleRow;
}

export async function updateSchedule(
  tx: Transaction,
  id: string,
  fields: Fields,
  nextRunAt: Date | null,
): Promise<ScheduleRow> {
  const [saved] = await tx.query<ScheduleRow>(
    `UPDATE schedules SET name = $2, cron_expression = $3, message_template = $4, timezone = $5, enabled = $6,
       queue_mode = $7, overlap = $8, catch_up = $9, next_run_at = $10, updated_at = now() WHERE id = $1 RETURNING *`,
    [id, ...valuesOf(fields), nextRunAt],
  );
  return saved as ScheduleRow;
}

const valuesOf = (fields: Fields) => [
  fields.name,
  fields.cronExpression,
  fields.messageTemplate,
  fields.timezone,
  fields.enabled,
  fields.queueMode,
  fields.overlap,
  fields.catchUp,
];

export async function deleteSchedule(tx: Transaction, id: string): Promise<void> {
  await tx.query(`DELETE FROM schedules WHERE id = $1`, [id]);
}

/** Locks a batch of due schedules, of all accounts alike, that no other replica holds. */
export function lockDue(tx: Transaction, now: Date, batch: number): Promise<DueSchedule[]> {
  return tx.query<DueSchedule>(
    `SELECT s.*, a.status AS agent_status FROM schedules s LEFT JOIN agents a ON a.agent_id = s.agent_id
     WHERE s.id = ANY(ARRAY(${fairBatch('schedules', 'next_run_at', '$2')})) ORDER BY s.next_run_at`,
    [batch, now],
  );
}

/** Sets when schedules run next; `last` is null where none of the slots ran. */
export async function moveOn(
  tx: Transaction,
  moved: { id: string; next: Date | null; last: Date | null }[],
): Promise<void> {
  await tx.query(
    `UPDATE schedules SET next_run_at = moved.next, last_run_at = COALESCE(moved.last, schedules.last_run_at)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS moved (id, next, last) WHERE schedules.id = moved.id`,
    [moved.map(({ id }) => id), moved.map(({ next }) => next), moved.map(({ last }) => last)],
  );
}

export async function recordRun(tx: Transaction, id: string): Promise<void> {
  await tx.query(`UPDATE schedules SET last_run_at = now() WHERE id = $1`, [id]);
}

export async function countSchedules(queries: Queries, accountId: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM schedules WHERE account_id = $1`,
    [accountId],
  );
  return row?.count ?? 0;
}

/** Of the schedule that has been due longest; 0 when none is. */
export async function lagSeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number }>(
    `SELECT extract(epoch FROM now() - next_run_at)::float8 AS seconds FROM schedules
     WHERE next_run_at <= now() ORDER BY next_run_at LIMIT 1`,
  );
  return row?.seconds ?? 0;
}
