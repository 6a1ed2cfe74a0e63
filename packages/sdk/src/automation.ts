import { type Core, dataOf, idOf } from './core.js';
import {
  publicTriggerFire,
  schedulesCreate,
  schedulesDelete,
  schedulesExecutions,
  schedulesGet,
  schedulesList,
  schedulesNextRuns,
  schedulesRun,
  schedulesToggle,
  schedulesUpdate,
  triggersCreate,
  triggersDelete,
  triggersExecutions,
  triggersGet,
  triggersList,
  triggersRotate,
  triggersTest,
  triggersUpdate,
} from './generated/sdk.gen.js';
import type {
  PublicTriggerFireResponses,
  SchedulesCreateData,
  SchedulesCreateResponses,
  SchedulesExecutionsData,
  SchedulesExecutionsResponses,
  SchedulesNextRunsData,
  SchedulesRunResponses,
  SchedulesUpdateData,
  TriggersCreateData,
  TriggersCreateResponses,
  TriggersExecutionsData,
  TriggersExecutionsResponses,
  TriggersGetResponses,
  TriggersRotateResponses,
  TriggersTestData,
  TriggersTestResponses,
  TriggersUpdateData,
} from './generated/types.gen.js';
import { type Listing, numbered } from './listing.js';
import { newKey } from './transport/new-key.js';
import type { CallOptions } from './transport/transport.js';

export type Schedule = SchedulesCreateResponses[201];
export type ScheduleExecution = SchedulesExecutionsResponses[200]['executions'][number];
export type Trigger = TriggersGetResponses[200];
/** As it is made: the one time that its secret is shown. */
export type NewTriggerResult = TriggersCreateResponses[201];
export type TriggerExecution = TriggersExecutionsResponses[200]['executions'][number];

const PAGE = 100;

export class Schedules {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  create(schedule: SchedulesCreateData['body'], options?: CallOptions): Promise<Schedule> {
    return dataOf(schedulesCreate({ ...this.core.by(options), path: { id: this.agentId }, body: schedule }));
  }

  list(options?: CallOptions): Listing<Schedule> {
    const path = { id: this.agentId };
    return numbered(
      (page) => dataOf(schedulesList({ ...this.core.by(options), path, query: { page, limit: PAGE } })),
      ({ schedules }) => schedules,
    );
  }

  get(scheduleId: string, options?: CallOptions): Promise<Schedule> {
    return dataOf(schedulesGet(this.call(scheduleId, options)));
  }

  update(scheduleId: string, change: SchedulesUpdateData['body'], options?: CallOptions): Promise<Schedule> {
    return dataOf(schedulesUpdate({ ...this.call(scheduleId, options), body: change }));
  }

  setEnabled(scheduleId: string, enabled: boolean, options?: CallOptions): Promise<Schedule> {
    return dataOf(schedulesToggle({ ...this.call(scheduleId, options), body: { enabled } }));
  }

  delete(scheduleId: string, options?: CallOptions): Promise<{ message: string }> {
    return dataOf(schedulesDelete(this.call(scheduleId, options)));
  }

  /** Fires now, besides its times. */
  run(scheduleId: string, options?: CallOptions): Promise<SchedulesRunResponses[keyof SchedulesRunResponses]> {
    return dataOf(schedulesRun(this.call(scheduleId, options)));
  }

  /** When a schedule with this expression and zone would fire: it is not made. */
  async nextRuns(plan: NonNullable<SchedulesNextRunsData['query']>, options?: CallOptions): Promise<string[]> {
    const sent = { ...this.core.by(options), path: { id: this.agentId }, query: plan };
    return (await dataOf(schedulesNextRuns(sent))).next_runs;
  }

  /** The newest first. */
  executions(
    scheduleId: string,
    query: Pick<NonNullable<SchedulesExecutionsData['query']>, 'status'> = {},
    options?: CallOptions,
  ): Listing<ScheduleExecution> {
    return numbered(
      (page) =>
        dataOf(schedulesExecutions({ ...this.call(scheduleId, options), query: { ...query, page, limit: PAGE } })),
      ({ executions }) => executions,
    );
  }

  private call(scheduleId: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId, scheduleId: idOf(scheduleId, 'a schedule') } };
  }
}

export class Triggers {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** The result holds the secret, which is shown this once. */
  create(trigger: TriggersCreateData['body'], options?: CallOptions): Promise<NewTriggerResult> {
    return dataOf(triggersCreate({ ...this.core.by(options), path: { id: this.agentId }, body: trigger }));
  }

  list(options?: CallOptions): Listing<Trigger> {
    const path = { id: this.agentId };
    return numbered(
      (page) => dataOf(triggersList({ ...this.core.by(options), path, query: { page, limit: PAGE } })),
      ({ triggers }) => triggers,
    );
  }

  get(triggerId: string, options?: CallOptions): Promise<Trigger> {
    return dataOf(triggersGet(this.call(triggerId, options)));
  }

  update(triggerId: string, change: TriggersUpdateData['body'], options?: CallOptions): Promise<Trigger> {
    return dataOf(triggersUpdate({ ...this.call(triggerId, options), body: change }));
  }

  delete(triggerId: string, options?: CallOptions): Promise<{ message: string }> {
    return dataOf(triggersDelete(this.call(triggerId, options)));
  }

  /** A new secret; the old one works for 24 h more. */
  rotateSecret(triggerId: string, options?: CallOptions): Promise<TriggersRotateResponses[200]> {
    return dataOf(triggersRotate(this.call(triggerId, options)));
  }

  /** Sends what another system would send, with the trigger's secret. `idempotencyKey` is the id of the delivery. */
  fire(
    triggerId: string,
    { payload, secret }: { payload: unknown; secret: string },
    options: CallOptions = {},
  ): Promise<PublicTriggerFireResponses[202]> {
    const { idempotencyKey = newKey() } = options;
    return dataOf(
      publicTriggerFire({
        ...this.core.by({ ...options, idempotencyKey }),
        path: { triggerId: idOf(triggerId, 'a trigger') },
        body: payload,
        headers: { 'x-webhook-secret': secret, 'content-type': 'application/json' },
      }),
    );
  }

  /** Asks the agent as another system with this body would; needs no secret. */
  test(
    triggerId: string,
    payload: TriggersTestData['body']['payload'] = {},
    options?: CallOptions,
  ): Promise<TriggersTestResponses[202]> {
    return dataOf(triggersTest({ ...this.call(triggerId, options), body: { payload } }));
  }

  /** The newest first. */
  executions(
    triggerId: string,
    query: Pick<NonNullable<TriggersExecutionsData['query']>, 'status'> = {},
    options?: CallOptions,
  ): Listing<TriggerExecution> {
    return numbered(
      (page) =>
        dataOf(triggersExecutions({ ...this.call(triggerId, options), query: { ...query, page, limit: PAGE } })),
      ({ executions }) => executions,
    );
  }

  private call(triggerId: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.agentId, triggerId: idOf(triggerId, 'a trigger') } };
  }
}
