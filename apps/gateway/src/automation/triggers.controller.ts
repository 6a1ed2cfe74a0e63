import { Bus } from '#lib/bus';
import {
  createTrigger,
  Deleted,
  deleteTrigger,
  ExecutionList,
  ExecutionQuery,
  getTrigger,
  listTriggerExecutions,
  listTriggers,
  NewTrigger,
  PageQuery,
  RoostError,
  FiredTrigger,
  rotateTriggerSecret,
  testTrigger,
  Trigger,
  TriggerList,
  TriggerPatch,
  TriggerTest,
  TriggerWithSecret,
  updateTrigger,
} from '#lib/contracts';
import { exactJson } from '#lib/template';
import { Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { triggerKey, TriggerParams } from './params.js';

/** spec: automation.md, "Triggers" */
@Tag('Triggers')
@Controller('v1/agent/:id/triggers')
export class TriggersController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'account',
    summary: 'Create a trigger; the only answer with its secret',
    description:
      'Gives a URL for the other system (`webhook_url`) and a secret for its signature. Nothing else is to be set: the same trigger takes a shared secret, GitHub’s signature and Standard Webhooks.',
    responseDescription: 'The trigger and its secret.',
    response: TriggerWithSecret,
    status: 201,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  create(@Param(AgentParams) { id }: AgentParams, @Body(NewTrigger) body: NewTrigger) {
    return this.bus.request(createTrigger, { ...body, agentId: id });
  }

  @Get()
  @Endpoint({
    access: 'account',
    summary: 'List the triggers of an agent',
    description: 'Never with their secrets.',
    responseDescription: 'A page of triggers.',
    response: TriggerList,
    errors: ['NOT_FOUND'],
  })
  list(@Param(AgentParams) { id }: AgentParams, @Query(PageQuery) query: PageQuery) {
    return this.bus.request(listTriggers, { ...query, agentId: id });
  }

  @Get(':triggerId')
  @Endpoint({
    access: 'account',
    summary: 'Get a trigger',
    description: 'Never with its secret.',
    responseDescription: 'The trigger.',
    response: Trigger,
    errors: ['NOT_FOUND'],
  })
  get(@Param(TriggerParams) params: TriggerParams) {
    return this.bus.request(getTrigger, triggerKey(params));
  }

  @Patch(':triggerId')
  @Endpoint({
    access: 'account',
    summary: 'Change fields of a trigger',
    description: 'What is left out stays. The URL and the secret stay the same.',
    responseDescription: 'The trigger after the change.',
    example: { enabled: false },
    response: Trigger,
    errors: ['NOT_FOUND'],
  })
  update(@Param(TriggerParams) params: TriggerParams, @Body(TriggerPatch) body: TriggerPatch) {
    return this.bus.request(updateTrigger, { ...body, ...triggerKey(params) });
  }

  @Delete(':triggerId')
  @Endpoint({
    access: 'account',
    summary: 'Delete a trigger',
    description: 'Its URL is 404 from now on. Messages that it sent stay.',
    responseDescription: 'It is deleted.',
    response: Deleted,
    errors: ['NOT_FOUND'],
  })
  delete(@Param(TriggerParams) params: TriggerParams) {
    return this.bus.request(deleteTrigger, triggerKey(params));
  }

  @Post(':triggerId/rotate-secret')
  @Endpoint({
    access: 'account',
    summary: 'Get a new secret; the old one works 24 hours more',
    description: 'For changing it without a gap: give the new one to the other system within that time.',
    responseDescription: 'The trigger and its new secret.',
    response: TriggerWithSecret,
    errors: ['NOT_FOUND'],
  })
  rotate(@Param(TriggerParams) params: TriggerParams) {
    return this.bus.request(rotateTriggerSecret, triggerKey(params));
  }

  @Post(':triggerId/test')
  @Endpoint({
    access: 'account',
    summary: 'Send a trigger a test',
    description:
      'The agent gets the message that a webhook with this body would give, with `content-type` as its only header. No secret is needed, and a disabled trigger fires, too. It counts as one of the trigger’s webhooks.',
    responseDescription: 'The message is in the agent’s queue.',
    response: FiredTrigger,
    status: 202,
    keepsDigits: true,
    errors: ['NOT_FOUND', 'RATE_LIMITED', 'AGENT_UNAVAILABLE'],
  })
  async test(@Param(TriggerParams) params: TriggerParams, @Body(TriggerTest) { payload }: TriggerTest) {
    const key = triggerKey(params);
    const payloadJson = exactJson(payload) ?? 'null';
    try {
      return await this.bus.request(testTrigger, { ...key, payloadJson });
    } catch (error) {
      if (!isUnknownThere(error)) throw error;
      return this.bus.request(testTrigger, { ...key, payload: JSON.parse(payloadJson) as typeof payload });
    }
  }

  @Get(':triggerId/executions')
  @Endpoint({
    access: 'account',
    summary: 'List the executions of a trigger, newest first',
    description: 'What became of each webhook; kept for 30 days after its end.',
    responseDescription: 'A page of executions.',
    response: ExecutionList,
    errors: ['NOT_FOUND'],
  })
  executions(@Param(TriggerParams) params: TriggerParams, @Query(ExecutionQuery) query: ExecutionQuery) {
    return this.bus.request(listTriggerExecutions, { ...query, ...triggerKey(params) });
  }
}

/** A scheduler of an older version, as there may be during an upgrade, refuses fields that it does not know. */
const isUnknownThere = (error: unknown) =>
  error instanceof RoostError &&
  error.details.some(({ field, reason }) => field === 'payload_json' && reason === 'unknown_field');
