import { currentTraceparent } from '#lib/call-context';
import { type Execution, MessageId, paginationOf } from '#lib/contracts';
import type { Database, Queries, Transaction } from '#lib/database';
import { inBatches, SWEEP_BATCH } from '#lib/sweeps';
import { fairBatch } from '../firing/fair-batch.js';

export interface ExecutionRow {
  id: string;
  schedule_id: string | null;
  trigger_id: string | null;
  scheduled_for: Date;
  started_at: Date | null;
  finished_at: Date | null;
  status: Execution['status'];
  message_id: string | null;
  error: string | null;
}

/** What is sent to the agent's queue. */
export interface SendableExecution {
  id: string;
  account_id: string;
  agent_id: string;
  schedule_id: string | null;
  trigger_id: string | null;
  content: string;
  metadata: Record<string, never>;
  queue_mode: 'collect' | 'interrupt';
  scheduled_for: Date;
  /** Of the request that made it. */
  traceparent: string | null;
}

export interface NewExecution {
  id: string;
  accountId: string;
  agentId: string;
  scheduleId: string;
  at: Date;
  queueMode: SendableExecution['queue_mode'];
  /** Null unless the execution is pending. */
  content: string | null;
  error: string | null;
}

/** What an execution begins as. */
export type SlotStatus = Extract<Execution['status'], 'pending' | 'skipped' | 'missed' | 'failed'>;

/** All SQL of `executions` but how they end (`outcomes.repository.ts`). */

const COLUMNS = 'id, schedule_id, trigger_id, scheduled_for, started_at, finished_at, status, message_id, error';
const SENDABLE =
  'id, account_id, agent_id, schedule_id, trigger_id, content, metadata, queue_mode, scheduled_for, traceparent';
/** A sender that died is taken over after this. */
const SEND_LEASE = '30 seconds';
/** A message that could not be queued for so long is given up. */
const GIVE_UP_AFTER = '24 hours';

export function toExecution(row: ExecutionRow): Execution {
  return {
    uuid: row.id,
    scheduleUuid: row.schedule_id,
    triggerUuid: row.trigger_id,
    scheduledFor: row.scheduled_for,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    status: row.status,
    messageId: row.message_id === null ? null : MessageId.parse(row.message_id),
    error: row.error,
  };
}

/** A page of the executions of one schedule or trigger, newest first. */
export async function listExecutions(
  database: Database,
  owner: { column: 'schedule_id' | 'trigger_id'; id: string },
  { page, limit, status }: { page: number; limit: number; status?: string | undefined },
) {
  const filter = `${owner.column} = $1 AND ($2::text IS NULL OR status = $2)`;
  const [rows, [count]] = await Promise.all([
    database.query<ExecutionRow>(
      `SELECT ${COLUMNS} FROM executions WHERE ${filter}
       ORDER BY scheduled_for DESC, id DESC LIMIT $3 OFFSET $4`,
      [owner.id, status ?? null, limit, (page - 1) * limit],
    ),
    database.query<{ total: number }>(`SELECT count(*)::int AS total FROM executions WHERE ${filter}`, [
      owner.id,
      status ?? null,
    ]),
  ]);
  return { executions: rows.map(toExecution), pagination: paginationOf(page, limit, count?.total ?? 0) };
}

const metadataOf = ({ scheduleId, at }: NewExecution) => ({ schedule_id: scheduleId, scheduled_for: at.toISOString() });

/** One for each slot that is due; a slot that has its execution already changes nothing. */
export async function insertSlots(
  tx: Transaction,
  executions: (NewExecution & { status: SlotStatus })[],
  now: Date,
): Promise<void> {
  const rows = executions.map((execution) => ({
    id: execution.id,
    account_id: execution.accountId,
    agent_id: execution.agentId,
    schedule_id: execution.scheduleId,
    slot: execution.at,
    status: execution.status,
    error: execution.error,
    content: execution.content,
    metadata: metadataOf(execution),
    queue_mode: execution.queueMode,
    send_at: execution.status === 'pending' ? now : null,
    finished_at: execution.status === 'pending' ? null : now,
  }));
  await tx.query(
    `INSERT INTO executions (id, account_id, agent_id, schedule_id, slot, scheduled_for, status, error, content, metadata, queue_mode, send_at, finished_at)
     SELECT id, account_id, agent_id, schedule_id, slot, slot, status, error, content, metadata, queue_mode, send_at, finished_at
     FROM jsonb_to_recordset($1) AS row (id uuid, account_id uuid, agent_id uuid, schedule_id uuid, slot timestamptz, status text,
       error text, content text, metadata jsonb, queue_mode text, send_at timestamptz, finished_at timestamptz)
     ON CONFLICT (schedule_id, slot) DO NOTHING`,
    [JSON.stringify(rows)],
  );
}

/** A run by hand, which has no slot. */
export async function insertManual(
  tx: Transaction,
  execution: NewExecution & { status: 'pending' | 'skipped' },
): Promise<ExecutionRow> {
  const [row] = await tx.query<ExecutionRow>(
    `INSERT INTO executions (id, account_id, agent_id, schedule_id, scheduled_for, metadata, queue_mode, status, content, error, traceparent, send_at, finished_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, CASE WHEN $8 = 'pending' THEN now() END, CASE WHEN $8 = 'skipped' THEN now() END)
     RETURNING ${COLUMNS}`,
    [
      execution.id,
      execution.accountId,
      execution.agentId,
      execution.scheduleId,
      execution.at,
      JSON.stringify(metadataOf(execution)),
      execution.queueMode,
      execution.status,
      execution.content,
      execution.error,
      currentTraceparent() ?? null,
    ],
  );
  return row as ExecutionRow;
}

/** A webhook that was accepted. The lease on sending is its request's: the sender takes over only if that does not end. */
export async function insertDelivery(
  tx: Transaction,
  id: string,
  trigger: { id: string; account_id: string; agent_id: string },
  deliveryId: string | null,
  content: string,
): Promise<SendableExecution> {
  const [execution] = await tx.query<SendableExecution>(
    `INSERT INTO executions (id, account_id, agent_id, trigger_id, scheduled_for, delivery_id, status, content, metadata, queue_mode, traceparent, send_at)
     VALUES ($1, $2, $3, $4, now(), $5, 'pending', $6, $7, 'collect', $8, now() + interval '${SEND_LEASE}') RETURNING ${SENDABLE}`,
    [
      id,
      trigger.account_id,
      trigger.agent_id,
      trigger.id,
      deliveryId,
      content,
      JSON.stringify({ trigger_id: trigger.id }),
      currentTraceparent() ?? null,
    ],
  );
  return execution as SendableExecution;
}

export async function findDelivery(tx: Transaction, triggerId: string, deliveryId: string) {
  const [row] = await tx.query<SendableExecution & { message_id: string | null }>(
    `SELECT ${SENDABLE}, message_id FROM executions WHERE trigger_id = $1 AND delivery_id = $2`,
    [triggerId, deliveryId],
  );
  return row;
}

/**
 * Those of the schedules whose previous execution has not ended. A statement of its own: only one that begins under the
 * schedules' locks sees the execution that a run by hand has just committed.
 */
export async function withOpenExecution(tx: Transaction, scheduleIds: string[]): Promise<Set<string>> {
  if (scheduleIds.length === 0) return new Set();
  const open = await tx.query<{ schedule_id: string }>(
    `SELECT DISTINCT schedule_id FROM executions WHERE schedule_id = ANY($1) AND finished_at IS NULL`,
    [scheduleIds],
  );
  return new Set(open.map(({ schedule_id }) => schedule_id));
}

export async function hasOpenExecution(tx: Transaction, scheduleId: string): Promise<boolean> {
  const open = await tx.query(`SELECT 1 FROM executions WHERE schedule_id = $1 AND finished_at IS NULL LIMIT 1`, [
    scheduleId,
  ]);
  return open.length > 0;
}

/** Claims executions whose message is due to be sent, of all accounts alike. */
export function claimUnsent(database: Database, batch: number): Promise<SendableExecution[]> {
  return database.query<SendableExecution>(
    `UPDATE executions SET send_at = now() + interval '${SEND_LEASE}', send_attempts = send_attempts + 1
     WHERE id = ANY(ARRAY(${fairBatch('executions', 'send_at', 'now()')}))
     RETURNING ${SENDABLE}`,
    [batch],
  );
}

/** Ends an unsent execution. The delivery id is free again: a provider that repeats a refused delivery is served. */
export async function endUnsent(tx: Transaction, id: string, status: 'skipped' | 'failed', error: string) {
  await tx.query(
    `UPDATE executions SET status = $2, error = $3, finished_at = now(), send_at = NULL, content = NULL, delivery_id = NULL
     WHERE id = $1 AND message_id IS NULL`,
    [id, status, error],
  );
}

/** With backoff; one that is too old is given up. */
export async function sendAgainLater(tx: Transaction, id: string, error: string): Promise<void> {
  await tx.query(
    `UPDATE executions SET error = $2,
       send_at = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN NULL
         ELSE now() + LEAST(60, power(2, LEAST(send_attempts, 6))) * interval '1 second' END,
       status = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN 'failed' ELSE status END,
       finished_at = CASE WHEN scheduled_for < now() - interval '${GIVE_UP_AFTER}' THEN now() END
     WHERE id = $1 AND message_id IS NULL`,
    [id, error],
  );
}

export async function sweepExecutions(queries: Queries, signal?: AbortSignal): Promise<void> {
  const some = `
    DELETE FROM executions WHERE id = ANY(ARRAY(
      SELECT id FROM executions WHERE finished_at < now() - interval '30 days' ORDER BY finished_at LIMIT ${SWEEP_BATCH}))
    RETURNING 1`;
  await inBatches(() => queries.query(some), signal);
}
