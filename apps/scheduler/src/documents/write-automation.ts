import type { Planned } from '#lib/apply-plan';
import { recordAudit } from '#lib/audit';
import type { Sealer } from '#lib/auth';
import type { PlannedPart } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { lockQuota, requireQuota } from '#lib/quotas';
import { lockAgent } from '../agents/agents.repository.js';
import { lockOwned, type Owner } from '../agents/owned-rows.repository.js';
import type { SchedulerConfig } from '../config.js';
import { countSchedules, deleteSchedule, type ScheduleRow } from '../schedules/schedules.repository.js';
import { create as createSchedule, update as updateSchedule } from '../schedules/schedules.service.js';
import { countTriggers, deleteTrigger, type TriggerRow } from '../triggers/triggers.repository.js';
import { create as createTrigger, update as updateTrigger } from '../triggers/triggers.service.js';
import type { AutomationPlan, ScheduleFields, TriggerFields } from './plan-automation.js';

interface Limits {
  schedules: number;
  triggers: number;
}
type Settings = Limits & Pick<SchedulerConfig, 'SCHEDULE_MIN_INTERVAL_SECONDS'> & { sealer: Sealer };
type Made = Pick<PlannedPart, 'id' | 'secret'>;

/**
 * All schedules and triggers of an agent, which nobody changes until the transaction ends. Nobody makes one either: two
 * who apply at once would make each twice. Errors: NOT_FOUND.
 */
export async function lockAutomation(tx: Transaction, owner: Owner) {
  // In the order in which who makes one takes them.
  await lockAgent(tx, owner.agentId, owner.accountId);
  await lockQuota(tx, 'schedules', owner.accountId);
  await lockQuota(tx, 'triggers', owner.accountId);
  return {
    schedules: await lockOwned<ScheduleRow>(tx, 'schedules', owner),
    triggers: await lockOwned<TriggerRow>(tx, 'triggers', owner),
  };
}

/** Errors: QUOTA_EXCEEDED. */
export async function requireQuotaFor(
  tx: Transaction,
  accountId: string,
  plan: AutomationPlan,
  limits: Limits,
): Promise<void> {
  const created = (planned: Planned<object>[]) => planned.filter(({ action }) => action === 'create').length;
  const quotas = [
    { quota: 'schedules', more: created(plan.schedules), count: () => countSchedules(tx, accountId) },
    { quota: 'triggers', more: created(plan.triggers), count: () => countTriggers(tx, accountId) },
  ] as const;
  for (const { quota, more, count } of quotas)
    if (more > 0) await requireQuota(tx, { accountId, quota, limit: limits[quota], count, more });
}

/** Returns ids and secrets of what was made, by kind and name. */
export async function writeAutomation(
  tx: Transaction,
  plan: AutomationPlan,
  owner: Owner,
  settings: Settings,
): Promise<Map<string, Made>> {
  const made = new Map<string, Made>();
  // What goes first gives its place in the quota to what comes.
  const inOrder = <F extends object>(planned: Planned<F>[]) =>
    planned.toSorted((one, other) => Number(other.action === 'delete') - Number(one.action === 'delete'));
  for (const schedule of inOrder(plan.schedules)) {
    const id = await writeSchedule(tx, schedule, owner, settings);
    if (id !== undefined) made.set(`schedule ${schedule.name}`, { id, secret: null });
  }
  for (const trigger of inOrder(plan.triggers)) {
    const written = await writeTrigger(tx, trigger, owner, settings);
    if (written) made.set(`trigger ${trigger.name}`, written);
  }
  return made;
}

async function writeSchedule(
  tx: Transaction,
  planned: Planned<ScheduleFields>,
  { agentId, accountId }: Owner,
  settings: Settings,
): Promise<string | undefined> {
  const { id, name, action, fields } = planned;
  if (action === 'create') return (await createSchedule(tx, { agentId, name, ...fields }, accountId, settings)).id;
  if (id === null) return undefined;
  if (action === 'update')
    await updateSchedule(tx, { agentId, scheduleId: id, ...differing(planned) }, accountId, settings);
  if (action !== 'delete') return undefined;
  await deleteSchedule(tx, id);
  await recordAudit(tx, { action: 'schedule.deleted', target: { type: 'schedule', id } });
  return undefined;
}

async function writeTrigger(
  tx: Transaction,
  planned: Planned<TriggerFields>,
  { agentId, accountId }: Owner,
  { triggers, sealer }: Settings,
): Promise<Made | undefined> {
  const { id, name, action, fields } = planned;
  if (action === 'create') {
    const { row, secret } = await createTrigger(tx, { agentId, name, ...fields }, accountId, triggers, sealer);
    return { id: row.id, secret };
  }
  if (id === null) return undefined;
  if (action === 'update') await updateTrigger(tx, { agentId, triggerId: id, ...differing(planned) }, accountId);
  if (action !== 'delete') return undefined;
  await deleteTrigger(tx, id);
  await recordAudit(tx, { action: 'trigger.deleted', target: { type: 'trigger', id } });
  return undefined;
}

const differing = <F extends object>({ fields, differing: names }: Planned<F>): Partial<F> =>
  Object.fromEntries(names.map((name) => [name, fields[name as keyof F]])) as Partial<F>;
