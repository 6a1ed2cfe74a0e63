import { fieldsWithin, partsState, planByName, type Planned, requireState } from '#lib/apply-plan';
import type { applyAutomation, Schedule, Trigger } from '#lib/contracts';
import type { z } from 'zod';
import type { SchedulerConfig } from '../config.js';
import { checkScheduleTemplate } from '../schedules/schedule-template.js';
import type { ScheduleRow } from '../schedules/schedules.repository.js';
import { toSchedule } from '../schedules/schedules.repository.js';
import { checkedPlan } from '../schedules/schedules.service.js';
import { checkTriggerTemplate } from '../triggers/trigger-template.js';
import type { TriggerRow } from '../triggers/triggers.repository.js';

type Document = Pick<z.output<typeof applyAutomation.input>, 'schedules' | 'triggers' | 'prune' | 'ifState'>;
export type ScheduleFields = Pick<
  Schedule,
  'cronExpression' | 'messageTemplate' | 'timezone' | 'enabled' | 'queueMode' | 'overlap' | 'catchUp'
>;
export type TriggerFields = Pick<Trigger, 'messageTemplate' | 'enabled'>;

export interface AutomationPlan {
  schedules: Planned<ScheduleFields>[];
  triggers: Planned<TriggerFields>[];
  /** Of what there is. */
  state: string;
}

/**
 * What makes an agent's schedules and triggers as a document says. Everything that it would write is checked.
 * Errors: CONFLICT, VALIDATION_ERROR.
 */
export async function planAutomation(
  document: Document,
  present: { schedules: ScheduleRow[]; triggers: TriggerRow[] },
  limits: Pick<SchedulerConfig, 'SCHEDULE_MIN_INTERVAL_SECONDS'>,
): Promise<AutomationPlan> {
  const schedules = present.schedules.map(presentSchedule);
  const triggers = present.triggers.map(presentTrigger);
  const plan = {
    schedules: planByName(SCHEDULE, schedules, document.schedules ?? {}, document.prune),
    triggers: planByName(TRIGGER, triggers, document.triggers ?? {}, document.prune),
    state: partsState(schedules, triggers),
  };
  requireState(document.ifState, plan.state, [...plan.schedules, ...plan.triggers]);
  const isWritten = ({ action }: Planned<object>) => action === 'create' || action === 'update';
  for (const { name, fields } of plan.schedules.filter(isWritten))
    await fieldsWithin(`schedules.${name}`, () => {
      checkedPlan(fields, limits);
      checkScheduleTemplate(fields.messageTemplate);
    });
  for (const { name, fields } of plan.triggers.filter(isWritten))
    await fieldsWithin(`triggers.${name}`, () => checkTriggerTemplate(fields.messageTemplate));
  return plan;
}

const SCHEDULE = {
  what: 'schedule',
  path: 'schedules',
  defaults: { timezone: 'UTC', enabled: true, queueMode: 'collect', overlap: 'queue', catchUp: 'latest' } as const,
  required: ['cronExpression', 'messageTemplate'] as const,
};
const TRIGGER = {
  what: 'trigger',
  path: 'triggers',
  defaults: { enabled: true },
  required: ['messageTemplate'] as const,
};

function presentSchedule(row: ScheduleRow) {
  const { id, name, cronExpression, messageTemplate, timezone, enabled, queueMode, overlap, catchUp } = toSchedule(row);
  return { id, name, fields: { cronExpression, messageTemplate, timezone, enabled, queueMode, overlap, catchUp } };
}

const presentTrigger = ({ id, name, message_template: messageTemplate, enabled }: TriggerRow) => ({
  id,
  name,
  fields: { messageTemplate, enabled },
});
