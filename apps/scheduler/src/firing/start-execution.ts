import { newId, type Transaction } from '#lib/database';
import { EXECUTION_COLUMNS, type ExecutionRow } from '../executions/list-executions.js';
import type { ScheduleRow } from '../schedules/schedule-row.js';
import { renderSchedule } from '../schedules/schedule-template.js';

/**
 * Makes an execution that the sender then takes to the agent's queue, in the caller's transaction. `slot` is null
 * for a run by hand. The caller holds the schedule's row.
 */
export async function startExecution(
  tx: Transaction,
  schedule: ScheduleRow,
  scheduledFor: Date,
  slot: Date | null,
): Promise<ExecutionRow> {
  const content = renderSchedule(
    { name: schedule.name, messageTemplate: schedule.message_template, timezone: schedule.timezone },
    scheduledFor,
  );
  const [row] = await tx.query<ExecutionRow>(
    `INSERT INTO executions (id, account_id, agent_id, schedule_id, slot, scheduled_for, status, content, metadata, queue_mode, send_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9, now()) RETURNING ${EXECUTION_COLUMNS}`,
    [
      newId(),
      schedule.account_id,
      schedule.agent_id,
      schedule.id,
      slot,
      scheduledFor,
      content,
      JSON.stringify({ schedule_id: schedule.id, scheduled_for: scheduledFor.toISOString() }),
      schedule.queue_mode,
    ],
  );
  if (slot === null) await tx.query(`UPDATE schedules SET last_run_at = now() WHERE id = $1`, [schedule.id]);
  return row as ExecutionRow;
}
