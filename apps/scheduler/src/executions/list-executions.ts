import { type Execution, MessageId, paginationOf } from '#lib/contracts';
import type { Database } from '#lib/database';

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

export const EXECUTION_COLUMNS =
  'id, schedule_id, trigger_id, scheduled_for, started_at, finished_at, status, message_id, error';

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
      `SELECT ${EXECUTION_COLUMNS} FROM executions WHERE ${filter}
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
