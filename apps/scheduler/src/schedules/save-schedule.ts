import { type createSchedule, RoostError, type Schedule, type updateSchedule } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { countRows, requireQuota } from '#lib/quotas';
import type { z } from 'zod';
import { holdAgent } from '../agents/known-agent.js';
import type { SchedulerConfig } from '../config.js';
import { SlotPlan } from '../slots/cron.js';
import { type ScheduleRow, toSchedule } from './schedule-row.js';
import { checkScheduleTemplate } from './schedule-template.js';

type New = z.output<typeof createSchedule.input>;
type Patch = z.output<typeof updateSchedule.input>;
type Limits = Pick<SchedulerConfig, 'SCHEDULE_MIN_INTERVAL_SECONDS'>;

/** `schedules`: how many the account may have. Errors: NOT_FOUND (agent), VALIDATION_ERROR, QUOTA_EXCEEDED. */
export async function create(
  tx: Transaction,
  input: New,
  accountId: string,
  limits: Limits & { schedules: number },
): Promise<Schedule> {
  await holdAgent(tx, input.agentId, accountId);
  const count = () => countRows(tx, 'schedules', accountId);
  await requireQuota(tx, { accountId, quota: 'schedules', limit: limits.schedules, count });
  // After the check: to look through a plan is the dearest part, and not done for who has no room.
  const nextRunAt = firstRun(input, limits);
  checkScheduleTemplate(input.messageTemplate);
  const [row] = await tx.query<ScheduleRow>(
    `INSERT INTO schedules (id, account_id, agent_id, name, cron_expression, message_template, timezone, enabled,
       queue_mode, overlap, catch_up, next_run_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *`,
    [
      newId(),
      accountId,
      input.agentId,
      input.name,
      input.cronExpression,
      input.messageTemplate,
      input.timezone,
      input.enabled,
      input.queueMode,
      input.overlap,
      input.catchUp,
      nextRunAt,
    ],
  );
  return toSchedule(row as ScheduleRow);
}

/** Changes the fields that are given. A new plan counts from now: slots of the old one that were due are not made up. */
export async function update(tx: Transaction, patch: Patch, accountId: string, limits: Limits): Promise<Schedule> {
  const row = await findSchedule(tx, patch, accountId, 'FOR UPDATE');
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const changed: Schedule = { ...toSchedule(row), ...given };
  const isReplanned =
    changed.cronExpression !== row.cron_expression ||
    changed.timezone !== row.timezone ||
    changed.enabled !== row.enabled;
  if (patch.messageTemplate !== undefined) checkScheduleTemplate(patch.messageTemplate);
  const [saved] = await tx.query<ScheduleRow>(
    `UPDATE schedules SET name = $2, cron_expression = $3, message_template = $4, timezone = $5, enabled = $6,
       queue_mode = $7, overlap = $8, catch_up = $9, next_run_at = $10, updated_at = now() WHERE id = $1 RETURNING *`,
    [
      row.id,
      changed.name,
      changed.cronExpression,
      changed.messageTemplate,
      changed.timezone,
      changed.enabled,
      changed.queueMode,
      changed.overlap,
      changed.catchUp,
      isReplanned ? firstRun(changed, limits) : row.next_run_at,
    ],
  );
  return toSchedule(saved as ScheduleRow);
}

/** Errors: NOT_FOUND, the same for an unknown schedule, another agent's and another account's. */
export async function findSchedule(
  db: Pick<Transaction, 'query'>,
  key: { agentId: string; scheduleId: string },
  accountId: string,
  lock: 'FOR UPDATE' | '' = '',
): Promise<ScheduleRow> {
  const [row] = await db.query<ScheduleRow>(
    `SELECT * FROM schedules WHERE id = $1 AND agent_id = $2 AND account_id = $3 ${lock}`,
    [key.scheduleId, key.agentId, accountId],
  );
  if (!row) throw new RoostError('NOT_FOUND', 'there is no such schedule');
  return row;
}

function firstRun(
  schedule: { cronExpression: string; timezone: string; enabled: boolean },
  { SCHEDULE_MIN_INTERVAL_SECONDS: leastSeconds }: Limits,
): Date | null {
  const plan = SlotPlan.of(schedule.cronExpression, schedule.timezone);
  if (plan.shortestInterval(Date.now()) < leastSeconds * 1_000) {
    const message = `fires more often than every ${leastSeconds} seconds`;
    throw new RoostError('VALIDATION_ERROR', `cron_expression: ${message}`, [
      { field: 'cron_expression', reason: 'too_frequent', message, min_interval_seconds: leastSeconds },
    ]);
  }
  const slot = schedule.enabled ? plan.after(Date.now()) : undefined;
  return slot === undefined ? null : new Date(slot);
}
