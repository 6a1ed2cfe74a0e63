import { newId, type Transaction } from '#lib/database';
import { EXECUTION_COLUMNS, type ExecutionRow } from '../executions/list-executions.js';
import type { ScheduleRow } from '../schedules/schedule-row.js';
import { renderSchedule } from '../schedules/schedule-template.js';

/** Why an execution of a schedule with `overlap: skip` is skipped. */
export const STILL_RUNS = 'the previous execution still runs';

/**
 * Makes the execution of a run by hand, in the caller's transaction, which holds the schedule's row. The sender then
 * takes it to the agent's queue, unless the schedule skips what overlaps.
 */
export async function startExecution(tx: Transaction, schedule: ScheduleRow, at: Date): Promise<ExecutionRow> {
  const isSkipped = schedule.overlap === 'skip' && (await hasOpenExecution(tx, schedule.id));
  const template = { name: schedule.name, messageTemplate: schedule.message_template, timezone: schedule.timezone };
  const [row] = await tx.query<ExecutionRow>(
    `INSERT INTO executions (id, account_id, agent_id, schedule_id, scheduled_for, metadata, queue_mode, status, content, error, send_at, finished_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $8 = 'pending' THEN now() END, CASE WHEN $8 = 'skipped' THEN now() END)
     RETURNING ${EXECUTION_COLUMNS}`,
    [
      newId(),
      schedule.account_id,
      schedule.agent_id,
      schedule.id,
      at,
      JSON.stringify({ schedule_id: schedule.id, scheduled_for: at.toISOString() }),
      schedule.queue_mode,
      isSkipped ? 'skipped' : 'pending',
      isSkipped ? null : renderSchedule(template, at),
      isSkipped ? STILL_RUNS : null,
    ],
  );
  if (!isSkipped) await tx.query(`UPDATE schedules SET last_run_at = now() WHERE id = $1`, [schedule.id]);
  return row as ExecutionRow;
}

async function hasOpenExecution(tx: Transaction, scheduleId: string): Promise<boolean> {
  const open = await tx.query(`SELECT 1 FROM executions WHERE schedule_id = $1 AND finished_at IS NULL LIMIT 1`, [
    scheduleId,
  ]);
  return open.length > 0;
}
