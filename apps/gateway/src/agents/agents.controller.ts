import { Bus } from '#lib/bus';
import {
  Agent,
  AgentList,
  AgentReadiness,
  AgentSummary,
  Balance,
  BalanceChange,
  changeBalance,
  ChangedStatus,
  checkAgentReady,
  createAgent,
  CreateAgent,
  deleteAgent,
  DeletedAgent,
  getAgent,
  listAgents,
  ListAgents,
  pauseAgent,
  resumeAgent,
  setAgentStatus,
  SetStatus,
  stopAgent,
  summarizeAgent,
  updateAgent,
  UpdateAgent,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

type ById = Call<z.output<typeof AgentParams>>;
const common = { access: 'account', tag: 'Agents' } as const;
const byId = { ...common, params: AgentParams };

/** spec: agents.md */
@Controller('v1/agent')
export class AgentsController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: 'create',
    summary: 'Create an agent',
    body: CreateAgent,
    response: Agent,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  create({ body }: Call<unknown, unknown, z.output<typeof CreateAgent>>) {
    return this.bus.request(createAgent, body);
  }

  @Endpoint({ ...common, method: 'GET', path: 'list', summary: 'List agents', query: ListAgents, response: AgentList })
  list({ query }: Call<unknown, z.output<typeof ListAgents>>) {
    return this.bus.request(listAgents, query);
  }

  @Endpoint({ ...byId, method: 'GET', path: ':id', summary: 'Get an agent', response: Agent, errors: ['NOT_FOUND'] })
  get({ params }: ById) {
    return this.bus.request(getAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id/summary',
    summary: 'Summary of an agent',
    response: AgentSummary,
    errors: ['NOT_FOUND'],
  })
  summary({ params }: ById) {
    return this.bus.request(summarizeAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'GET',
    path: ':id/ready',
    summary: 'Would a message be processed now?',
    response: AgentReadiness,
    errors: ['NOT_FOUND'],
  })
  ready({ params }: ById) {
    return this.bus.request(checkAgentReady, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'update/:id',
    summary: 'Change an agent',
    body: UpdateAgent,
    example: { name: 'my-agent', configuration: { timeout_seconds: 600 } },
    response: Agent,
    errors: ['NOT_FOUND', 'ALREADY_EXISTS', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  update({ params, body }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof UpdateAgent>>) {
    return this.bus.request(updateAgent, { agentId: params.id, ...body });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: 'delete/:id',
    summary: 'Delete an agent',
    response: DeletedAgent,
    errors: ['NOT_FOUND'],
  })
  delete({ params }: ById) {
    return this.bus.request(deleteAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/pause',
    summary: 'Pause an agent',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  pause({ params }: ById) {
    return this.bus.request(pauseAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/resume',
    summary: 'Resume an agent',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  resume({ params }: ById) {
    return this.bus.request(resumeAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/stop',
    summary: 'Stop an agent',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  stop({ params }: ById) {
    return this.bus.request(stopAgent, { agentId: params.id });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/status',
    summary: 'Set the status of an agent',
    body: SetStatus,
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  setStatus({ params, body }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof SetStatus>>) {
    return this.bus.request(setAgentStatus, { agentId: params.id, ...body });
  }

  @Endpoint({
    ...byId,
    method: 'POST',
    path: ':id/balance',
    summary: 'Set or change the token balance',
    body: BalanceChange,
    example: { delta: 100_000 },
    response: Balance,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  balance({ params, body }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof BalanceChange>>) {
    return this.bus.request(changeBalance, { agentId: params.id, ...body });
  }
}
