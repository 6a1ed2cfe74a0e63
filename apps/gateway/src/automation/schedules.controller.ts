import { Bus } from '#lib/bus';
import {
  createSchedule,
  Deleted,
  deleteSchedule,
  Execution,
  ExecutionList,
  ExecutionQuery,
  getSchedule,
  listScheduleExecutions,
  listSchedules,
  NewSchedule,
  PageQuery,
  runSchedule,
  Schedule,
  ScheduleList,
  SchedulePatch,
  ToggleBody,
  toggleSchedule,
  updateSchedule,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { scheduleKey, ScheduleParams } from './params.js';

type OfAgent = z.output<typeof AgentParams>;
type ById = z.output<typeof ScheduleParams>;
const shared = { access: 'account' as const, tag: 'Schedules', errors: ['NOT_FOUND' as const] };
const byId = { ...shared, params: ScheduleParams };

/** spec: automation.md, "Schedules" */
@Controller('v1/agent/:id/schedules')
export class SchedulesController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...shared,
    method: 'POST',
    path: '',
    summary: 'Create a schedule',
    params: AgentParams,
    body: NewSchedule,
    response: Schedule,
    status: 201,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  create({ params, body }: Call<OfAgent, unknown, z.output<typeof NewSchedule>>) {
    return this.bus.request(createSchedule, { ...body, agentId: params.id });
  }

  @Endpoint({
    ...shared,
    method: 'GET',
    path: '',
    summary: 'List the schedules of an agent',
    params: AgentParams,
    query: PageQuery,
    response: ScheduleList,
  })
  list({ params, query }: Call<OfAgent, z.output<typeof PageQuery>>) {
    return this.bus.request(listSchedules, { ...query, agentId: params.id });
  }

  @Endpoint({ ...byId, method: 'GET', path: ':scheduleId', summary: 'Get a schedule', response: Schedule })
  get({ params }: Call<ById>) {
    return this.bus.request(getSchedule, scheduleKey(params));
  }

  @Endpoint({
    ...byId,
    method: 'PATCH',
    path: ':scheduleId',
    summary: 'Change fields of a schedule',
    body: SchedulePatch,
    example: { enabled: false },
    response: Schedule,
  })
  update({ params, body }: Call<ById, unknown, z.output<typeof SchedulePatch>>) {
    return this.bus.request(updateSchedule, { ...body, ...scheduleKey(params) });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':scheduleId/toggle',
    summary: 'Switch a schedule on or off',
    body: ToggleBody,
    response: Schedule,
  })
  toggle({ params, body }: Call<ById, unknown, z.output<typeof ToggleBody>>) {
    return this.bus.request(toggleSchedule, { ...body, ...scheduleKey(params) });
  }

  @Endpoint({ ...byId, method: 'DELETE', path: ':scheduleId', summary: 'Delete a schedule', response: Deleted })
  delete({ params }: Call<ById>) {
    return this.bus.request(deleteSchedule, scheduleKey(params));
  }

  @Endpoint({ ...byId, method: 'POST', path: ':scheduleId/run', summary: 'Run a schedule now', response: Execution })
  run({ params }: Call<ById>) {
    return this.bus.request(runSchedule, scheduleKey(params));
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':scheduleId/executions',
    summary: 'List the executions of a schedule, newest first',
    query: ExecutionQuery,
    response: ExecutionList,
  })
  executions({ params, query }: Call<ById, z.output<typeof ExecutionQuery>>) {
    return this.bus.request(listScheduleExecutions, { ...query, ...scheduleKey(params) });
  }
}
