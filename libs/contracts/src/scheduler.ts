import { z } from 'zod';
import { QueueMode } from './messages.js';
import { event, request } from './request.js';
import { AccountId, AgentId, Count, Done, MessageId, Pagination, Timestamp, pageQuery, wire } from './wire.js';

/** Postgres holds no NUL, and neither does a sensible name. */
const NO_NUL = /^[^\0]*$/;
export const AutomationName = z
  .string()
  .min(1)
  .max(255)
  .regex(NO_NUL)
  .meta({ description: 'What it is called: 1 to 255 characters.', examples: ['morning report'] });
export const AutomationTemplate = z.string().min(1).max(100_000).regex(NO_NUL);
export const Overlap = z.enum(['queue', 'skip']).meta({
  id: 'Overlap',
  description:
    'What happens when the execution before has not ended: `queue` sends the message anyway, `skip` leaves this one out.',
});
export const CatchUp = z.enum(['latest', 'none', 'all']).meta({
  id: 'CatchUp',
  description:
    'What of the times that passed while the platform was down is made up for: the `latest`, `none`, or `all` (100 at most).',
});

const scheduleFields = {
  name: AutomationName,
  cronExpression: z
    .string()
    .min(1)
    .max(200)
    .meta({
      description:
        'When it fires: five fields (minute hour day month weekday), six with seconds first, or `@daily` and the like. No more often than the operator allows (each minute).',
      examples: ['0 9 * * 1-5'],
    }),
  messageTemplate: AutomationTemplate.meta({
    description:
      'The message that is sent: `{{date}}` (2026-11-24), `{{time}}` (10:30:00), `{{schedule.name}}`, as of the time it was due, in its time zone. An unknown variable is refused. At most 100,000 characters and 200 places.',
    examples: ['It is {{date}}. Write the report.'],
  }),
  timezone: z
    .string()
    .min(1)
    .max(100)
    .meta({ description: 'The IANA time zone of the expression and the template.', examples: ['Europe/Berlin'] }),
  enabled: z.boolean().describe('Whether it fires.'),
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
export const NewSchedule = wire(newScheduleFields).meta({ id: 'NewSchedule', description: 'A new schedule.' });
export type NewSchedule = z.output<typeof NewSchedule>;

export const schedulePatchFields = {
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
export const SchedulePatch = wire(schedulePatchFields).meta({
  id: 'SchedulePatch',
  description: 'A change of a schedule: what is left out stays.',
});
export type SchedulePatch = z.output<typeof SchedulePatch>;

const madeAt = Timestamp.describe('When it was made.');
const changedAt = Timestamp.describe('When it was last changed.');
export const Schedule = wire({
  uuid: z.uuid().describe('The same as `id`.'),
  id: z.uuid().describe('The schedule’s id.'),
  agentUuid: AgentId,
  ...scheduleFields,
  lastRunAt: Timestamp.nullable().describe('When it last fired; null before the first time.'),
  nextRunAt: Timestamp.nullable().describe('When it fires next; null when it is disabled.'),
  createdAt: madeAt,
  updatedAt: changedAt,
}).meta({ id: 'Schedule', description: 'A schedule of an agent.' });
export type Schedule = z.output<typeof Schedule>;

export const EXECUTION_STATUSES = ['pending', 'queued', 'running', 'completed', 'failed', 'skipped', 'missed'] as const;
export const ExecutionStatus = z.enum(EXECUTION_STATUSES).meta({
  id: 'ExecutionStatus',
  description:
    '`pending`: its message is not in the agent’s queue yet. `queued`: it waits there. `running`: its turn runs. `completed`: its turn was answered. `failed`: its turn was given up. `skipped`: not wanted then, `error` says why. `missed`: its time passed while the platform was down.',
});

export const Execution = wire({
  uuid: z.uuid().describe('The execution’s id.'),
  scheduleUuid: z.uuid().nullable().describe('Its schedule; null when it is a trigger’s.'),
  triggerUuid: z.uuid().nullable().describe('Its trigger; null when it is a schedule’s.'),
  scheduledFor: Timestamp.describe('When it was due; of a trigger, when its webhook arrived.'),
  startedAt: Timestamp.nullable().describe('When the agent’s turn began; null before.'),
  finishedAt: Timestamp.nullable().describe('When it ended, in whatever way; null before.'),
  status: ExecutionStatus,
  messageId: MessageId.nullable().describe(
    'The message that was sent to the agent; null before, or when there is none.',
  ),
  error: z.string().nullable().describe('Why it failed or was skipped; null otherwise.'),
}).meta({ id: 'Execution', description: 'One firing of a schedule or trigger, and what became of it.' });
export type Execution = z.output<typeof Execution>;

const ScheduleKey = { agentId: AgentId, scheduleId: z.uuid() };
const TriggerKey = { agentId: AgentId, triggerId: z.uuid() };
const executionQuery = {
  ...pageQuery,
  status: ExecutionStatus.optional().describe('Only executions with this status.'),
};
export const PageQuery = wire(pageQuery);
export type PageQuery = z.output<typeof PageQuery>;
export const ExecutionQuery = wire(executionQuery);
export type ExecutionQuery = z.output<typeof ExecutionQuery>;
export const ToggleBody = wire({
  enabled: z.boolean().optional().describe('Sets it on or off; without it the state is turned over.'),
});
export type ToggleBody = z.output<typeof ToggleBody>;
export const Deleted = wire({ message: Done });

const nextRunsQuery = {
  cronExpression: scheduleFields.cronExpression,
  timezone: newScheduleFields.timezone,
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(5).describe('How many times.'),
};
export const NextRunsQuery = wire(nextRunsQuery);
export type NextRunsQuery = z.output<typeof NextRunsQuery>;
export const NextRuns = wire({
  nextRuns: z.array(Timestamp).describe('The next times, the earliest first; fewer where it fires no more after them.'),
});
export const ScheduleList = wire({
  schedules: z.array(Schedule).describe('In the order in which they were made.'),
  pagination: Pagination,
});
export const ExecutionList = wire({
  executions: z.array(Execution).describe('Newest first.'),
  pagination: Pagination,
});

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
/** When an expression would fire; nothing is kept. Errors: as `createSchedule` of expression and zone. */
export const listNextRuns = request('scheduler.schedule.next-runs', {
  input: wire({ agentId: AgentId, ...nextRunsQuery }),
  output: NextRuns,
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
  messageTemplate: AutomationTemplate.meta({
    description:
      'The message that is sent: `{{payload}}` is the whole body as JSON, `{{payload.a.b.0.c}}` a path into it, `{{headers.x-github-event}}` a header. What is not there is empty. At most 100,000 characters and 200 places.',
    examples: ['A new issue: {{payload.issue.title}}'],
  }),
  enabled: z.boolean().describe('Whether it fires; a webhook to a disabled one is 409.'),
};
const newTriggerFields = { ...triggerFields, enabled: triggerFields.enabled.default(true) };
export const NewTrigger = wire(newTriggerFields).meta({ id: 'NewTrigger', description: 'A new trigger.' });
export type NewTrigger = z.output<typeof NewTrigger>;
export const triggerPatchFields = {
  name: triggerFields.name.optional(),
  messageTemplate: triggerFields.messageTemplate.optional(),
  enabled: triggerFields.enabled.optional(),
};
export const TriggerPatch = wire(triggerPatchFields).meta({
  id: 'TriggerPatch',
  description: 'A change of a trigger: what is left out stays.',
});
export type TriggerPatch = z.output<typeof TriggerPatch>;

const triggerShape = {
  uuid: z.uuid().describe('The same as `id`.'),
  id: z.uuid().describe('The trigger’s id.'),
  agentUuid: AgentId,
  ...triggerFields,
  webhookUrl: z.string().describe('Where the other system is to post.'),
  createdAt: madeAt,
  updatedAt: changedAt,
};
export const Trigger = wire(triggerShape).meta({
  id: 'Trigger',
  description: 'A trigger of an agent, without its secret.',
});
export type Trigger = z.output<typeof Trigger>;
/** The only two answers that show the secret: create and rotate. */
export const TriggerWithSecret = wire({
  ...triggerShape,
  webhookSecret: z.string().describe('What webhooks prove themselves with, `whs_…`. Shown this once.'),
}).meta({ id: 'TriggerWithSecret', description: 'A trigger with its secret.' });
export const TriggerList = wire({
  triggers: z.array(Trigger).describe('In the order in which they were made.'),
  pagination: Pagination,
});

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
export const TriggerTest = wire({
  payload: z
    .json()
    .default({})
    .meta({
      description: 'The body that another system would post.',
      examples: [{ issue: { title: 'The door squeaks' } }],
    }),
});
export type TriggerTest = z.output<typeof TriggerTest>;
export const listTriggerExecutions = request('scheduler.trigger.executions', {
  input: wire({ ...TriggerKey, ...executionQuery }),
  output: ExecutionList,
});

export const FiredTrigger = wire({
  messageId: MessageId.describe('The message that the agent gets.'),
  executionId: z.uuid().describe('The execution, as `GET …/executions` lists it.'),
}).meta({
  id: 'FiredTrigger',
  description: 'What a webhook brought about. The same webhook sent again gives the same.',
});

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

/** What a webhook with this body would bring about, by the trigger's owner: needs no secret, nor that it is enabled. */
export const testTrigger = request('scheduler.trigger.test', {
  input: wire({
    ...TriggerKey,
    /** As JSON text, with the digits that were sent: a number of JavaScript has no more than 17. */
    payloadJson: z.string().optional(),
    /** The same without them, of or for a service of an older version, which knows no other. */
    payload: z.json().optional(),
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
