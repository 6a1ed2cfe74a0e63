import { type Execution, scheduleMissed } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import type { ScheduleRow } from '../schedules/schedule-row.js';
import { renderSchedule } from '../schedules/schedule-template.js';
import { SlotPlan } from '../slots/cron.js';
import { fairBatch } from './fair-batch.js';
import { STILL_RUNS } from './start-execution.js';
import { planSlots } from './plan-slots.js';

type DueSchedule = ScheduleRow & { agent_status: string | null };

/** Slots written in one round: after a long outage one round's work stays short, and the rest follows in the next. */
const MOST_SLOTS = 5_000;

interface PlannedExecution {
  id: string;
  schedule: DueSchedule;
  slot: number;
  status: Extract<Execution['status'], 'pending' | 'skipped' | 'missed'>;
  error: string | null;
}

/**
 * Takes a batch of due schedules, of all accounts alike, that no other replica has in hand, writes an execution for each slot and moves each
 * schedule on, in one transaction: a crash leaves all of it or nothing. Unique (schedule, slot) holds besides.
 * `onTimeSince`: see `planSlots`. Gives whether more is due, and how many messages are to be sent.
 */
export async function fireDue(
  tx: Transaction,
  now: Date,
  batch: number,
  onTimeSince = now,
): Promise<{ hasMore: boolean; toSend: number }> {
  const due = await tx.query<DueSchedule>(
    `SELECT s.*, a.status AS agent_status FROM schedules s LEFT JOIN agents a ON a.agent_id = s.agent_id
     WHERE s.id = ANY(ARRAY(${fairBatch('schedules', 'next_run_at', '$2')})) ORDER BY s.next_run_at`,
    [batch, now],
  );
  if (due.length === 0) return { hasMore: false, toSend: 0 };
  const busy = await withOpenExecution(tx, due);
  const moved: ReturnType<typeof planOne>[] = [];
  let slots = 0;
  for (const schedule of due) {
    if (slots >= MOST_SLOTS) break;
    const planned = planOne(schedule, busy.has(schedule.id), now.getTime(), onTimeSince.getTime());
    slots += planned.executions.length;
    moved.push(planned);
  }
  const executions = moved.flatMap((planned) => planned.executions);
  await insertExecutions(tx, executions, now);
  for (const { schedule, executions: own } of moved) await tellMissed(tx, schedule, own, now);
  await tx.query(
    `UPDATE schedules SET next_run_at = moved.next, last_run_at = COALESCE(moved.last, schedules.last_run_at)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS moved (id, next, last) WHERE schedules.id = moved.id`,
    [
      moved.map(({ schedule }) => schedule.id),
      moved.map(({ next }) => (next === undefined ? null : new Date(next))),
      moved.map(({ executions: own }) => (own.some(({ status }) => status === 'pending') ? now : null)),
    ],
  );
  const toSend = executions.filter(({ status }) => status === 'pending').length;
  return { hasMore: due.length === batch || moved.length < due.length, toSend };
}

/**
 * Those of the schedules whose previous execution has not ended, where that matters. A statement of its own: only one
 * that begins under the schedules' locks sees the execution that a run by hand has just committed.
 */
async function withOpenExecution(tx: Transaction, schedules: DueSchedule[]): Promise<Set<string>> {
  const ids = schedules.filter(({ overlap }) => overlap === 'skip').map(({ id }) => id);
  if (ids.length === 0) return new Set();
  const open = await tx.query<{ schedule_id: string }>(
    `SELECT DISTINCT schedule_id FROM executions WHERE schedule_id = ANY($1) AND finished_at IS NULL`,
    [ids],
  );
  return new Set(open.map(({ schedule_id }) => schedule_id));
}

function planOne(schedule: DueSchedule, hasOpen: boolean, now: number, onTimeSince: number) {
  const plan = SlotPlan.of(schedule.cron_expression, schedule.timezone);
  const first = schedule.next_run_at?.getTime() ?? now;
  const { run, missed, next } = planSlots(first, now, schedule.catch_up, (slot) => plan.after(slot), onTimeSince);
  let isBusy = hasOpen;
  const executions = [
    ...missed.map((slot) => planned(schedule, slot, 'missed', 'the slot passed while the platform was down')),
    ...run.map((slot) => {
      const reason = skipReason(schedule, isBusy);
      isBusy ||= reason === null && schedule.overlap === 'skip';
      return planned(schedule, slot, reason === null ? 'pending' : 'skipped', reason);
    }),
  ];
  return { schedule, next, executions };
}

function planned(
  schedule: DueSchedule,
  slot: number,
  status: PlannedExecution['status'],
  error: string | null,
): PlannedExecution {
  return { id: newId(), schedule, slot, status, error };
}

function skipReason({ agent_status: status }: DueSchedule, isBusy: boolean): string | null {
  if (status === 'stopped') return 'the agent is stopped';
  if (status === 'error') return 'the agent is in error';
  return isBusy ? STILL_RUNS : null;
}

/** One event for all slots of a schedule that were missed together. */
async function tellMissed(
  tx: Transaction,
  schedule: DueSchedule,
  executions: PlannedExecution[],
  now: Date,
): Promise<void> {
  const slots = executions.filter(({ status }) => status === 'missed').map(({ slot }) => slot);
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
      firstSlot: new Date(first),
      lastSlot: new Date(last),
      occurredAt: now,
    },
    schedule.id,
  );
}

async function insertExecutions(tx: Transaction, executions: PlannedExecution[], now: Date): Promise<void> {
  const rows = executions.map(({ id, schedule, slot, status, error }) => {
    const isSent = status === 'pending';
    const at = new Date(slot);
    const template = { name: schedule.name, messageTemplate: schedule.message_template, timezone: schedule.timezone };
    return {
      id,
      account_id: schedule.account_id,
      agent_id: schedule.agent_id,
      schedule_id: schedule.id,
      slot: at,
      status,
      error,
      content: isSent ? renderSchedule(template, at) : null,
      metadata: { schedule_id: schedule.id, scheduled_for: at.toISOString() },
      queue_mode: schedule.queue_mode,
      send_at: isSent ? now : null,
      finished_at: isSent ? null : now,
    };
  });
  await tx.query(
    `INSERT INTO executions (id, account_id, agent_id, schedule_id, slot, scheduled_for, status, error, content, metadata, queue_mode, send_at, finished_at)
     SELECT id, account_id, agent_id, schedule_id, slot, slot, status, error, content, metadata, queue_mode, send_at, finished_at
     FROM jsonb_to_recordset($1) AS row (id uuid, account_id uuid, agent_id uuid, schedule_id uuid, slot timestamptz, status text,
       error text, content text, metadata jsonb, queue_mode text, send_at timestamptz, finished_at timestamptz)
     ON CONFLICT (schedule_id, slot) DO NOTHING`,
    [JSON.stringify(rows)],
  );
}
