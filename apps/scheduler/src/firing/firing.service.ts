import { scheduleMissed } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import {
  type ExecutionRow,
  hasOpenExecution,
  insertManual,
  insertSlots,
  type SlotStatus,
  withOpenExecution,
} from '../executions/executions.repository.js';
import { renderSchedule } from '../schedules/schedule-template.js';
import { type DueSchedule, lockDue, moveOn, recordRun, type ScheduleRow } from '../schedules/schedules.repository.js';
import { SlotPlan } from '../slots/cron.js';
import { planSlots } from './plan-slots.js';

/** Slots written in one round: after a long outage one round's work stays short, and the rest follows in the next. */
const MOST_SLOTS = 5_000;
/** Why an execution of a schedule with `overlap: skip` is skipped. */
const STILL_RUNS = 'the previous execution still runs';

interface PlannedExecution {
  slot: number;
  status: SlotStatus;
  error: string | null;
}

type Planned = ReturnType<typeof planSchedule>;

/**
 * Takes a batch of due schedules, of all accounts alike, that no other replica has in hand, writes an execution for each
 * slot and moves each schedule on, in one transaction: a crash leaves all of it or nothing. Unique (schedule, slot) holds
 * besides. `onTimeSince`: see `planSlots`. Returns whether more is due, and how many messages are to be sent.
 */
export async function fireDue(
  tx: Transaction,
  now: Date,
  batch: number,
  onTimeSince = now,
): Promise<{ hasMore: boolean; toSend: number }> {
  const due = await lockDue(tx, now, batch);
  if (due.length === 0) return { hasMore: false, toSend: 0 };
  const skipping = due.filter(({ overlap }) => overlap === 'skip').map(({ id }) => id);
  const busy = await withOpenExecution(tx, skipping);
  const moved: Planned[] = [];
  let slots = 0;
  for (const schedule of due) {
    if (slots >= MOST_SLOTS) break;
    const planned = planOrFail(schedule, busy.has(schedule.id), now.getTime(), onTimeSince.getTime());
    slots += planned.executions.length;
    moved.push(planned);
  }
  const executions = moved.flatMap(({ executions: own }) => own);
  await insertSlots(tx, executions, now);
  for (const { schedule, executions: own } of moved) await publishMissed(tx, schedule, own, now);
  await moveOn(
    tx,
    moved.map(({ schedule, next, executions: own }) => ({
      id: schedule.id,
      next: next === undefined ? null : new Date(next),
      last: own.some(({ status }) => status === 'pending') ? now : null,
    })),
  );
  const toSend = executions.filter(({ status }) => status === 'pending').length;
  return { hasMore: due.length === batch || moved.length < due.length, toSend };
}

/**
 * Makes the execution of a run by hand, in the caller's transaction, which holds the schedule's row. The sender then
 * takes it to the agent's queue, unless the schedule skips what overlaps.
 */
export async function runNow(tx: Transaction, schedule: ScheduleRow, at: Date): Promise<ExecutionRow> {
  const isSkipped = schedule.overlap === 'skip' && (await hasOpenExecution(tx, schedule.id));
  const status = isSkipped ? 'skipped' : 'pending';
  const error = isSkipped ? STILL_RUNS : null;
  const row = await insertManual(tx, { ...newExecution(schedule, { slot: at.getTime(), status, error }), status });
  if (!isSkipped) await recordRun(tx, schedule.id);
  return row;
}

/**
 * A schedule that cannot be planned, say for a time zone that this version of Node does not know, fails by itself: thrown, it
 * would be first in every round, and nobody's would be carried out any more.
 */
function planOrFail(schedule: DueSchedule, hasOpen: boolean, now: number, onTimeSince: number): Planned {
  try {
    return planSchedule(schedule, hasOpen, now, onTimeSince);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = `the schedule cannot be carried out, and has no next time until it is changed: ${reason}`;
    const slot = schedule.next_run_at?.getTime() ?? now;
    return { schedule, next: undefined, executions: [newExecution(schedule, { slot, status: 'failed', error })] };
  }
}

function planSchedule(schedule: DueSchedule, hasOpen: boolean, now: number, onTimeSince: number) {
  const plan = SlotPlan.of(schedule.cron_expression, schedule.timezone);
  const first = schedule.next_run_at?.getTime() ?? now;
  const { run, missed, next } = planSlots(first, now, schedule.catch_up, (slot) => plan.after(slot), onTimeSince);
  let isBusy = hasOpen;
  const executions: PlannedExecution[] = [
    ...missed.map((slot) => ({
      slot,
      status: 'missed' as const,
      error: 'the slot passed while the platform was down',
    })),
    ...run.map((slot) => {
      const error = skipReason(schedule, isBusy);
      isBusy ||= error === null && schedule.overlap === 'skip';
      return { slot, status: error === null ? ('pending' as const) : ('skipped' as const), error };
    }),
  ];
  return { schedule, next, executions: executions.map((one) => newExecution(schedule, one)) };
}

function newExecution(schedule: ScheduleRow, { slot, status, error }: PlannedExecution) {
  const at = new Date(slot);
  const template = { name: schedule.name, messageTemplate: schedule.message_template, timezone: schedule.timezone };
  return {
    id: newId(),
    accountId: schedule.account_id,
    agentId: schedule.agent_id,
    scheduleId: schedule.id,
    at,
    status,
    error,
    content: status === 'pending' ? renderSchedule(template, at) : null,
    queueMode: schedule.queue_mode,
  };
}

function skipReason({ agent_status: status }: DueSchedule, isBusy: boolean): string | null {
  if (status === 'stopped') return 'the agent is stopped';
  if (status === 'error') return 'the agent is in error';
  return isBusy ? STILL_RUNS : null;
}

/** One event for all slots of a schedule that were missed together. */
async function publishMissed(
  tx: Transaction,
  schedule: DueSchedule,
  executions: Planned['executions'],
  now: Date,
): Promise<void> {
  const slots = executions.filter(({ status }) => status === 'missed').map(({ at }) => at);
  const [first, last] = [slots[0], slots.at(-1)];
  if (first === undefined || last === undefined) return;
  await tx.outbox(
    scheduleMissed,
    {
      accountId: schedule.account_id,
      agentId: schedule.agent_id,
      scheduleId: schedule.id,
      name: schedule.name,
      count: slots.length,
      firstSlot: first,
      lastSlot: last,
      occurredAt: now,
    },
    schedule.id,
  );
}
