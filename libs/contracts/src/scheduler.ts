import { z } from 'zod';
import { QueueMode } from './messaging.js';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, MessageId, Pagination, Timestamp, pageQuery, wire } from './wire.js';

/** Postgres holds no NUL, and neither does a sensible name. */
const NO_NUL = /^[^\0]*$/;
const AutomationName = z
  .string()
  .min(1)
  .max(255)
  .regex(NO_NUL)
  .meta({ examples: ['morning report'] });
export const AutomationTemplate = z.string().min(1).max(100_000).regex(NO_NUL);
export const Overlap = z.enum(['queue', 'skip']);
export const CatchUp = z.enum(['latest', 'none', 'all']);

const scheduleFields = {
  name: AutomationName,
  cronExpression: z
    .string()
    .min(1)
    .max(200)
    .meta({ examples: ['0 9 * * 1-5'] }),
  messageTemplate: AutomationTemplate,
  timezone: z
    .string()
    .min(1)
    .max(100)
    .meta({ examples: ['Europe/Berlin'] }),
  enabled: z.boolean(),
  queueMode: QueueMode,
  overlap: Overlap,
  catchUp: CatchUp,
};

const newScheduleFields = {
  ...scheduleFields,
  timezone: scheduleFields.timezone.default('UTC'),
  enabled: scheduleFields.enabled.default(true),
  queueMode: scheduleFields.queueMode.default('collect'),
  overlap: scheduleFields.overlap.default('queue'),
  catchUp: scheduleFields.catchUp.default('latest'),
};
export const NewSchedule = wire(newScheduleFields);
export type NewSchedule = z.output<typeof NewSchedule>;

const schedulePatchFields = {
  name: scheduleFields.name.optional(),
  cronExpression: scheduleFields.cronExpression.optional(),
  messageTemplate: scheduleFields.messageTemplate.optional(),
  timezone: scheduleFields.timezone.optional(),
  enabled: scheduleFields.enabled.optional(),
  queueMode: scheduleFields.queueMode.optional(),
  overlap: scheduleFields.overlap.optional(),
  catchUp: scheduleFields.catchUp.optional(),
};
/** Absent fields stay as they are. */
export const SchedulePatch = wire(schedulePatchFields);
export type SchedulePatch = z.output<typeof SchedulePatch>;

export const Schedule = wire({
  uuid: z.uuid(),
  id: z.uuid(),
  agentUuid: AgentId,
  ...scheduleFields,
  lastRunAt: Timestamp.nullable(),
  /** Null when disabled. */
  nextRunAt: Timestamp.nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Schedule = z.output<typeof Schedule>;

/**
 * `pending`: its message is not in the agent's queue yet · `queued`: it waits there for its turn · `running`: its turn
 * runs · `skipped`: not wanted then, `error` gives the reason · `missed`: its slot passed while nothing ran.
 */
export const EXECUTION_STATUSES = ['pending', 'queued', 'running', 'completed', 'failed', 'skipped', 'missed'] as const;
export const ExecutionStatus = z.enum(EXECUTION_STATUSES);

/** `completed` only when the agent's turn completed. `scheduledFor` of a trigger's execution is when it arrived. */
export const Execution = wire({
  uuid: z.uuid(),
  scheduleUuid: z.uuid().nullable(),
  triggerUuid: z.uuid().nullable(),
  scheduledFor: Timestamp,
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
  status: ExecutionStatus,
  messageId: MessageId.nullable(),
  error: z.string().nullable(),
});
export type Execution = z.output<typeof Execution>;

const ScheduleKey = { agentId: AgentId, scheduleId: z.uuid() };
const TriggerKey = { agentId: AgentId, triggerId: z.uuid() };
const executionQuery = { ...pageQuery, status: ExecutionStatus.optional() };
export const PageQuery = wire(pageQuery);
export type PageQuery = z.output<typeof PageQuery>;
export const ExecutionQuery = wire(executionQuery);
export type ExecutionQuery = z.output<typeof ExecutionQuery>;
export const ToggleBody = wire({ enabled: z.boolean().optional() });
export type ToggleBody = z.output<typeof ToggleBody>;
export const Deleted = wire({ message: z.string() });
export const ScheduleList = wire({ schedules: z.array(Schedule), pagination: Pagination });
export const ExecutionList = wire({ executions: z.array(Execution), pagination: Pagination });

/** Errors: NOT_FOUND (agent), VALIDATION_ERROR naming the field, CONFLICT at the account's limit. */
export const createSchedule = request('scheduler.schedule.create', {
  input: wire({ agentId: AgentId, ...newScheduleFields }),
  output: Schedule,
});
/** In the order of creation. */
export const listSchedules = request('scheduler.schedule.list', {
  input: wire({ agentId: AgentId, ...pageQuery }),
  output: ScheduleList,
});
export const getSchedule = request('scheduler.schedule.get', { input: wire(ScheduleKey), output: Schedule });
/** Recomputes the next run from now when the expression, the zone or `enabled` changes. */
export const updateSchedule = request('scheduler.schedule.update', {
  input: wire({ ...ScheduleKey, ...schedulePatchFields }),
  output: Schedule,
});
export const toggleSchedule = request('scheduler.schedule.toggle', {
  input: wire({ ...ScheduleKey, enabled: z.boolean().optional() }),
  output: Schedule,
});
export const deleteSchedule = request('scheduler.schedule.delete', { input: wire(ScheduleKey), output: Deleted });
/** Fires now, beside the slots and whether or not it is enabled; `overlap: skip` holds for it: the execution is `skipped`. */
export const runSchedule = request('scheduler.schedule.run', { input: wire(ScheduleKey), output: Execution });
/** Newest first. */
export const listScheduleExecutions = request('scheduler.schedule.executions', {
  input: wire({ ...ScheduleKey, ...executionQuery }),
  output: ExecutionList,
});

const triggerFields = {
  name: AutomationName,
  messageTemplate: AutomationTemplate,
  enabled: z.boolean(),
};
const newTriggerFields = { ...triggerFields, enabled: triggerFields.enabled.default(true) };
export const NewTrigger = wire(newTriggerFields);
export type NewTrigger = z.output<typeof NewTrigger>;
const triggerPatchFields = {
  name: triggerFields.name.optional(),
  messageTemplate: triggerFields.messageTemplate.optional(),
  enabled: triggerFields.enabled.optional(),
};
export const TriggerPatch = wire(triggerPatchFields);
export type TriggerPatch = z.output<typeof TriggerPatch>;

const triggerShape = {
  uuid: z.uuid(),
  id: z.uuid(),
  agentUuid: AgentId,
  ...triggerFields,
  webhookUrl: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
};
export const Trigger = wire(triggerShape);
export type Trigger = z.output<typeof Trigger>;
/** The only two answers that show the secret: create and rotate. */
export const TriggerWithSecret = wire({ ...triggerShape, webhookSecret: z.string() });
export const TriggerList = wire({ triggers: z.array(Trigger), pagination: Pagination });

export const createTrigger = request('scheduler.trigger.create', {
  input: wire({ agentId: AgentId, ...newTriggerFields }),
  output: TriggerWithSecret,
});
export const listTriggers = request('scheduler.trigger.list', {
  input: wire({ agentId: AgentId, ...pageQuery }),
  output: TriggerList,
});
export const getTrigger = request('scheduler.trigger.get', { input: wire(TriggerKey), output: Trigger });
export const updateTrigger = request('scheduler.trigger.update', {
  input: wire({ ...TriggerKey, ...triggerPatchFields }),
  output: Trigger,
});
export const deleteTrigger = request('scheduler.trigger.delete', { input: wire(TriggerKey), output: Deleted });
/** The old secret works 24 hours more. */
export const rotateTriggerSecret = request('scheduler.trigger.rotate', {
  input: wire(TriggerKey),
  output: TriggerWithSecret,
});
export const listTriggerExecutions = request('scheduler.trigger.executions', {
  input: wire({ ...TriggerKey, ...executionQuery }),
  output: ExecutionList,
});

export const FiredTrigger = wire({ messageId: MessageId, executionId: z.uuid() });

/**
 * A webhook as it arrived: the signature is checked here, over the raw bytes. Needs no account.
 * A delivery id seen before → the first result, one message. Errors: UNAUTHORIZED, NOT_FOUND, CONFLICT (disabled),
 * UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR, RATE_LIMITED, AGENT_UNAVAILABLE.
 */
export const fireTrigger = request('scheduler.trigger.fire', {
  input: wire({
    triggerId: z.uuid(),
    /** Names in lower case. */
    headers: z.record(z.string(), z.string()),
    bodyBase64: z.string().max(1_500_000),
  }),
  output: FiredTrigger,
  timeoutMs: 10_000,
});

/** Slots of a schedule passed while the platform was down and are not made up for: the first, the last, how many. */
export const scheduleMissed = event(
  'scheduler.schedule.missed',
  wire({
    accountId: AccountId,
    agentId: AgentId,
    scheduleId: z.uuid(),
    name: z.string(),
    count: Count,
    firstSlot: Timestamp,
    lastSlot: Timestamp,
    occurredAt: Timestamp,
  }),
);
