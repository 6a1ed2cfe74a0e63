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
  rotateTriggerSecret,
  Trigger,
  TriggerList,
  TriggerPatch,
  TriggerWithSecret,
  updateTrigger,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { triggerKey, TriggerParams } from './params.js';

type OfAgent = z.output<typeof AgentParams>;
type ById = z.output<typeof TriggerParams>;
const shared = { access: 'account' as const, tag: 'Triggers', errors: ['NOT_FOUND' as const] };
const byId = { ...shared, params: TriggerParams };

/** spec: automation.md, "Triggers" */
@Controller('v1/agent/:id/triggers')
export class TriggersController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...shared,
    method: 'POST',
    path: '',
    summary: 'Create a trigger; the only answer with its secret',
    params: AgentParams,
    body: NewTrigger,
    response: TriggerWithSecret,
    status: 201,
    errors: ['NOT_FOUND', 'QUOTA_EXCEEDED'],
  })
  create({ params, body }: Call<OfAgent, unknown, z.output<typeof NewTrigger>>) {
    return this.bus.request(createTrigger, { ...body, agentId: params.id });
  }

  @Endpoint({
    ...shared,
    method: 'GET',
    path: '',
    summary: 'List the triggers of an agent',
    params: AgentParams,
    query: PageQuery,
    response: TriggerList,
  })
  list({ params, query }: Call<OfAgent, z.output<typeof PageQuery>>) {
    return this.bus.request(listTriggers, { ...query, agentId: params.id });
  }

  @Endpoint({ ...byId, method: 'GET', path: ':triggerId', summary: 'Get a trigger', response: Trigger })
  get({ params }: Call<ById>) {
    return this.bus.request(getTrigger, triggerKey(params));
  }

  @Endpoint({
    ...byId,
    method: 'PATCH',
    path: ':triggerId',
    summary: 'Change fields of a trigger',
    body: TriggerPatch,
    example: { enabled: false },
    response: Trigger,
  })
  update({ params, body }: Call<ById, unknown, z.output<typeof TriggerPatch>>) {
    return this.bus.request(updateTrigger, { ...body, ...triggerKey(params) });
  }

  @Endpoint({ ...byId, method: 'DELETE', path: ':triggerId', summary: 'Delete a trigger', response: Deleted })
  delete({ params }: Call<ById>) {
    return this.bus.request(deleteTrigger, triggerKey(params));
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':triggerId/rotate-secret',
    summary: 'Get a new secret; the old one works 24 hours more',
    response: TriggerWithSecret,
  })
  rotate({ params }: Call<ById>) {
    return this.bus.request(rotateTriggerSecret, triggerKey(params));
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':triggerId/executions',
    summary: 'List the executions of a trigger, newest first',
    query: ExecutionQuery,
    response: ExecutionList,
  })
  executions({ params, query }: Call<ById, z.output<typeof ExecutionQuery>>) {
    return this.bus.request(listTriggerExecutions, { ...query, ...triggerKey(params) });
  }
}
