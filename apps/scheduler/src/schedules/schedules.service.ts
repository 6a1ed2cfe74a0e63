import { givenFields, recordAudit } from '#lib/audit';
import { type createSchedule, RoostError, type Schedule, type updateSchedule as updateContract } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { requireQuota } from '#lib/quotas';
import type { z } from 'zod';
import { lockAgent } from '../agents/agents.repository.js';
import type { SchedulerConfig } from '../config.js';
import { SlotPlan } from '../slots/cron.js';
import { checkScheduleTemplate } from './schedule-template.js';
import { countSchedules, findSchedule, insertSchedule, toSchedule, updateSchedule } from './schedules.repository.js';

type New = z.output<typeof createSchedule.input>;
type Patch = z.output<typeof updateContract.input>;
type Plan = Pick<Schedule, 'cronExpression' | 'timezone'>;
type Limits = Pick<SchedulerConfig, 'SCHEDULE_MIN_INTERVAL_SECONDS'>;

/** `schedules`: how many the account may have. Errors: NOT_FOUND (agent), VALIDATION_ERROR, QUOTA_EXCEEDED. */
export async function create(
  tx: Transaction,
  input: New,
  accountId: string,
  limits: Limits & { schedules: number },
): Promise<Schedule> {
  await lockAgent(tx, input.agentId, accountId);
  const count = () => countSchedules(tx, accountId);
  await requireQuota(tx, { accountId, quota: 'schedules', limit: limits.schedules, count });
  // After the check: to compute a plan costs most, and is not done for an account without quota left.
  const nextRunAt = firstRun(input, limits);
  checkScheduleTemplate(input.messageTemplate);
  const id = newId();
  await recordAudit(tx, { action: 'schedule.created', target: { type: 'schedule', id }, fields: givenFields(input) });
  return toSchedule(await insertSchedule(tx, id, { agentId: input.agentId, accountId }, input, nextRunAt));
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
  const nextRunAt = isReplanned ? firstRun(changed, limits) : row.next_run_at;
  const { agentId: _agent, scheduleId: _schedule, ...fields } = given;
  const target = { type: 'schedule', id: row.id };
  await recordAudit(tx, { action: 'schedule.updated', target, fields: givenFields(fields) });
  return toSchedule(await updateSchedule(tx, row.id, changed, nextRunAt));
}

/** The next times of a plan, as it would be made now. Errors: VALIDATION_ERROR. */
export function nextRuns(plan: Plan & { limit: number }, limits: Limits): Date[] {
  const slots = checkedPlan(plan, limits);
  const found: Date[] = [];
  for (let at = slots.after(Date.now()); at !== undefined && found.length < plan.limit; at = slots.after(at))
    found.push(new Date(at));
  return found;
}

function firstRun(schedule: Plan & { enabled: boolean }, limits: Limits): Date | null {
  const plan = checkedPlan(schedule, limits);
  const slot = schedule.enabled ? plan.after(Date.now()) : undefined;
  return slot === undefined ? null : new Date(slot);
}

/** Errors: VALIDATION_ERROR, also of a plan that fires more often than the operator allows. */
export function checkedPlan(
  { cronExpression, timezone }: Plan,
  { SCHEDULE_MIN_INTERVAL_SECONDS: leastSeconds }: Limits,
): SlotPlan {
  const plan = SlotPlan.of(cronExpression, timezone);
  if (plan.shortestInterval(Date.now()) < leastSeconds * 1_000) {
    const message = `fires more often than every ${leastSeconds} seconds`;
    throw new RoostError('VALIDATION_ERROR', `cron_expression: ${message}`, [
      { field: 'cron_expression', reason: 'too_frequent', message, min_interval_seconds: leastSeconds },
    ]);
  }
  return plan;
}
