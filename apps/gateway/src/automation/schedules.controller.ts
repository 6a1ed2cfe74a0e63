import { Bus } from '#lib/bus';
import {
  createSchedule,
  Deleted,
  deleteSchedule,
  Execution,
  ExecutionList,
  ExecutionQuery,
  getSchedule,
  listNextRuns,
  listScheduleExecutions,
  listSchedules,
  NewSchedule,
  NextRuns,
  NextRunsQuery,
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
    description:
      'From its next time on the agent gets the message, as a message of its own conversation `schedule:…`. An expression that never fires, or fires too often, an unknown zone or variable is 400 and says why. At a change of daylight saving time a skipped time runs at the end of the gap, a repeated one once.',
    responseDescription: 'The schedule, with when it fires next.',
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
    description: 'Those that the agent made by itself included.',
    responseDescription: 'A page of schedules.',
    response: ScheduleList,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(PageQuery) query: PageQuery) {
    return this.bus.request(listSchedules, { ...query, agentId: id });
  }

  @Get('next-runs')
  @Endpoint({
    access: 'account',
    summary: 'List the next times of a cron expression',
    description:
      'When a schedule of the agent with this expression and zone would fire from now on, by the same rules; nothing is made. What creating one would refuse is 400 here, too.',
    responseDescription: 'The next times.',
    response: NextRuns,
    errors: ['NOT_FOUND'],
  })
  nextRuns(@Param(AgentParams) { id }: AgentParams, @Query(NextRunsQuery) query: NextRunsQuery) {
    return this.bus.request(listNextRuns, { ...query, agentId: id });
  }

  @Get(':scheduleId')
  @Endpoint({
    access: 'account',
    summary: 'Get a schedule',
    description: 'With when it last fired and fires next.',
    responseDescription: 'The schedule.',
    response: Schedule,
    errors: ['NOT_FOUND'],
  })
  get(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(getSchedule, scheduleKey(params));
  }

  @Patch(':scheduleId')
  @Endpoint({
    access: 'account',
    summary: 'Change fields of a schedule',
    description: 'What is left out stays. A new expression or zone, or enabling it, computes the next time from now.',
    responseDescription: 'The schedule after the change.',
    example: { enabled: false },
    response: Schedule,
    errors: ['NOT_FOUND'],
  })
  update(@Param(ScheduleParams) params: ScheduleParams, @Body(SchedulePatch) body: SchedulePatch) {
    return this.bus.request(updateSchedule, { ...body, ...scheduleKey(params) });
  }

  @Post(':scheduleId/toggle')
  @Endpoint({
    access: 'account',
    summary: 'Switch a schedule on or off',
    description: 'Turned over, or set to `enabled`.',
    responseDescription: 'The schedule after the change.',
    response: Schedule,
    errors: ['NOT_FOUND'],
  })
  toggle(@Param(ScheduleParams) params: ScheduleParams, @Body(ToggleBody) body: ToggleBody) {
    return this.bus.request(toggleSchedule, { ...body, ...scheduleKey(params) });
  }

  @Delete(':scheduleId')
  @Endpoint({
    access: 'account',
    summary: 'Delete a schedule',
    description: 'It fires no more. Messages that it sent stay.',
    responseDescription: 'It is deleted.',
    response: Deleted,
    errors: ['NOT_FOUND'],
  })
  delete(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(deleteSchedule, scheduleKey(params));
  }

  @Post(':scheduleId/run')
  @Endpoint({
    access: 'account',
    summary: 'Run a schedule now',
    description:
      'Beside its times, also when it is disabled. With `overlap: skip` the execution is `skipped` while another one runs.',
    responseDescription: 'The execution that was begun.',
    response: Execution,
    errors: ['NOT_FOUND'],
  })
  run(@Param(ScheduleParams) params: ScheduleParams) {
    return this.bus.request(runSchedule, scheduleKey(params));
  }

  @Get(':scheduleId/executions')
  @Endpoint({
    access: 'account',
    summary: 'List the executions of a schedule, newest first',
    description: 'What became of each firing; kept for 30 days after its end.',
    responseDescription: 'A page of executions.',
    response: ExecutionList,
    errors: ['NOT_FOUND'],
  })
  executions(@Param(ScheduleParams) params: ScheduleParams, @Query(ExecutionQuery) query: ExecutionQuery) {
    return this.bus.request(listScheduleExecutions, { ...query, ...scheduleKey(params) });
  }
}
