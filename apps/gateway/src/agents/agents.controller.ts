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
import { Controller, Get, Post } from '@nestjs/common';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

/** spec: agents.md */
@Tag('Agents')
@Controller('v1/agent')
export class AgentsController {
  constructor(private readonly bus: Bus) {}

  @Post('create')
  @Endpoint({ access: 'account', summary: 'Create an agent', response: Agent, status: 201, errors: ['QUOTA_EXCEEDED'] })
  create(@Body(CreateAgent) body: CreateAgent) {
    return this.bus.request(createAgent, body);
  }

  @Get('list')
  @Endpoint({ access: 'account', summary: 'List agents', response: AgentList })
  list(@Query(ListAgents) query: ListAgents) {
    return this.bus.request(listAgents, query);
  }

  @Get(':id')
  @Endpoint({ access: 'account', summary: 'Get an agent', response: Agent, errors: ['NOT_FOUND'] })
  get(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(getAgent, { agentId: id });
  }

  @Get(':id/summary')
  @Endpoint({ access: 'account', summary: 'Summary of an agent', response: AgentSummary, errors: ['NOT_FOUND'] })
  summary(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(summarizeAgent, { agentId: id });
  }

  @Get(':id/ready')
  @Endpoint({
    access: 'account',
    summary: 'Would a message be processed now?',
    response: AgentReadiness,
    errors: ['NOT_FOUND'],
  })
  ready(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(checkAgentReady, { agentId: id });
  }

  @Post('update/:id')
  @Endpoint({
    access: 'account',
    summary: 'Change an agent',
    example: { name: 'my-agent', configuration: { timeout_seconds: 600 } },
    response: Agent,
    errors: ['NOT_FOUND', 'ALREADY_EXISTS', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  update(@Param(AgentParams) { id }: AgentParams, @Body(UpdateAgent) body: UpdateAgent) {
    return this.bus.request(updateAgent, { agentId: id, ...body });
  }

  @Post('delete/:id')
  @Endpoint({ access: 'account', summary: 'Delete an agent', response: DeletedAgent, errors: ['NOT_FOUND'] })
  delete(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(deleteAgent, { agentId: id });
  }

  @Post(':id/pause')
  @Endpoint({ access: 'account', summary: 'Pause an agent', response: ChangedStatus, errors: ['NOT_FOUND'] })
  pause(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(pauseAgent, { agentId: id });
  }

  @Post(':id/resume')
  @Endpoint({ access: 'account', summary: 'Resume an agent', response: ChangedStatus, errors: ['NOT_FOUND'] })
  resume(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(resumeAgent, { agentId: id });
  }

  @Post(':id/stop')
  @Endpoint({ access: 'account', summary: 'Stop an agent', response: ChangedStatus, errors: ['NOT_FOUND'] })
  stop(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(stopAgent, { agentId: id });
  }

  @Post(':id/status')
  @Endpoint({
    access: 'account',
    summary: 'Set the status of an agent',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  setStatus(@Param(AgentParams) { id }: AgentParams, @Body(SetStatus) body: SetStatus) {
    return this.bus.request(setAgentStatus, { agentId: id, ...body });
  }

  @Post(':id/balance')
  @Endpoint({
    access: 'account',
    summary: 'Set or change the token balance',
    example: { delta: 100_000 },
    response: Balance,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  balance(@Param(AgentParams) { id }: AgentParams, @Body(BalanceChange) body: BalanceChange) {
    return this.bus.request(changeBalance, { agentId: id, ...body });
  }
}
