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
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { scheduleKey, ScheduleParams } from './params.js';

/** spec: automation.md, "Schedules" */
@Tag('Schedules')
@Controller('v1/agent/:id/schedules')
export class SchedulesController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Create a schedule',
    response: Schedule,
    status: 201,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  create(@Param(AgentParams) { id }: AgentParams, @Body(NewSchedule) body: NewSchedule) {
    return this.bus.request(createSchedule, { ...body, agentId: id });
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the schedules of an agent',
    response: ScheduleList,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(PageQuery) query: PageQuery) {
    return this.bus.request(listSchedules, { ...query, agentId: id });
  }

  @Get(':scheduleId')
  @Endpoint({ access: 'account', summary: 'Get a schedule', response: Schedule, errors: ['NOT_FOUND'] })
  get(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(getSchedule, scheduleKey(params));
  }

  @Patch(':scheduleId')
  @Endpoint({
    access: 'account',
    summary: 'Change fields of a schedule',
    example: { enabled: false },
    response: Schedule,
    errors: ['NOT_FOUND'],
  })
  update(@Param(ScheduleParams) params: ScheduleParams, @Body(SchedulePatch) body: SchedulePatch) {
    return this.bus.request(updateSchedule, { ...body, ...scheduleKey(params) });
  }

  @Post(':scheduleId/toggle')
  @Endpoint({ access: 'account', summary: 'Switch a schedule on or off', response: Schedule, errors: ['NOT_FOUND'] })
  toggle(@Param(ScheduleParams) params: ScheduleParams, @Body(ToggleBody) body: ToggleBody) {
    return this.bus.request(toggleSchedule, { ...body, ...scheduleKey(params) });
  }

  @Delete(':scheduleId')
  @Endpoint({ access: 'account', summary: 'Delete a schedule', response: Deleted, errors: ['NOT_FOUND'] })
  delete(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(deleteSchedule, scheduleKey(params));
  }

  @Post(':scheduleId/run')
  @Endpoint({ access: 'account', summary: 'Run a schedule now', response: Execution, errors: ['NOT_FOUND'] })
  run(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(runSchedule, scheduleKey(params));
  }

  @Get(':scheduleId/executions')
  @Endpoint({
    access: 'account',
    summary: 'List the executions of a schedule, newest first',
    response: ExecutionList,
    errors: ['NOT_FOUND'],
  })
  executions(@Param(ScheduleParams) params: ScheduleParams, @Query(ExecutionQuery) query: ExecutionQuery) {
    return this.bus.request(listScheduleExecutions, { ...query, ...scheduleKey(params) });
  }
}
