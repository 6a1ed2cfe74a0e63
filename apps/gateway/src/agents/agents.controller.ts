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
import { Controller, Get, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Body, Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';
import { IfVersion, withETag } from './if-version.js';

/** spec: agents.md */
@Tag('Agents')
@Controller('v1/agent')
export class AgentsController {
  constructor(private readonly bus: Bus) {}

  @Post('create')
  @Endpoint({
    access: 'account',
    summary: 'Create an agent',
    description:
      'The agent is `active` at once and takes messages; its sandbox is started when it is needed. Only `name` is needed: the rest has defaults. The model and its key are checked where the provider can be asked, so that a wrong name is refused here and not at the first message. `initial_files` are in the workspace before the first turn. More than the operator allows (`pvc_size`, `resources`, …) is 400 and names the maximum.',
    responseDescription: 'The agent was made.',
    response: Agent,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  create(@Body(CreateAgent) body: CreateAgent) {
    return this.bus.request(createAgent, body);
  }

  @Get('list')
  @Endpoint({
    access: 'account',
    summary: 'List agents',
    description: 'All agents of the account, in pages.',
    responseDescription: 'A page of agents.',
    response: AgentList,
  })
  list(@Query(ListAgents) query: ListAgents) {
    return this.bus.request(listAgents, query);
  }

  @Get(':id')
  @Endpoint({
    access: 'account',
    summary: 'Get an agent',
    description:
      'With its configuration and what its workspace holds, as last known. Secrets are shown as `***`, or as whether there is one. It never wakes the workspace.',
    responseHeaders: ['ETag'],
    responseDescription: 'The agent.',
    response: Agent,
    errors: ['NOT_FOUND'],
  })
  async get(@Param(AgentParams) { id }: AgentParams, @Res({ passthrough: true }) reply: FastifyReply) {
    return withETag(reply, await this.bus.request(getAgent, { agentId: id }));
  }

  @Get(':id/summary')
  @Endpoint({
    access: 'account',
    summary: 'Summary of an agent',
    description:
      'The numbers of an agent: balance, tokens spent, messages. Cheap, for dashboards; never wakes the workspace.',
    responseDescription: 'The numbers.',
    response: AgentSummary,
    errors: ['NOT_FOUND'],
  })
  summary(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(summarizeAgent, { agentId: id });
  }

  @Get(':id/ready')
  @Endpoint({
    access: 'account',
    summary: 'Would a message be processed now?',
    description:
      'Whether a message that is sent now would be answered, and if not, why. A sleeping workspace is no hindrance: it wakes.',
    responseDescription: 'Whether it would, and why not.',
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
    description:
      'What is left out stays; null clears a field that can be cleared; `configuration` merges field by field. Together with `files` it is all or nothing. It takes effect with the next turn, and makes a version of the configuration (`GET …/versions`); with `If-Match` it is refused when somebody else has changed it meanwhile. A `pvc_size` below the present one is refused. With `files` the workspace is woken: of a stopped agent that is 503.',
    requestHeaders: ['IfAgentMatch'],
    responseHeaders: ['ETag'],
    responseDescription: 'The agent after the change.',
    example: { name: 'my-agent', configuration: { timeout_seconds: 600 } },
    response: Agent,
    errors: ['NOT_FOUND', 'CONFLICT', 'ALREADY_EXISTS', 'AGENT_UNAVAILABLE', 'QUOTA_EXCEEDED'],
  })
  async update(
    @Param(AgentParams) { id }: AgentParams,
    @Body(UpdateAgent) body: UpdateAgent,
    @IfVersion() ifVersion: number | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return withETag(reply, await this.bus.request(updateAgent, { agentId: id, ...body, ifVersion }));
  }

  @Post('delete/:id')
  @Endpoint({
    access: 'account',
    summary: 'Delete an agent',
    description:
      'Permanently: its sandbox, files, messages, schedules, triggers, linked chats and secrets, in every service. A running turn is stopped. Webhooks that wait are cancelled; `agent.deleted` is the last. A second call is 404.',
    responseDescription: 'It is deleted.',
    response: DeletedAgent,
    errors: ['NOT_FOUND'],
  })
  delete(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(deleteAgent, { agentId: id });
  }

  @Post(':id/pause')
  @Endpoint({
    access: 'account',
    summary: 'Pause an agent',
    description:
      'From `active` only (else 400). A turn that runs is finished; messages are taken and wait; files can be used.',
    responseDescription: 'It is paused.',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  pause(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(pauseAgent, { agentId: id });
  }

  @Post(':id/resume')
  @Endpoint({
    access: 'account',
    summary: 'Resume an agent',
    description: 'From `paused` or `error` (else 400). What waits is answered, in order.',
    responseDescription: 'It is active.',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  resume(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(resumeAgent, { agentId: id });
  }

  @Post(':id/stop')
  @Endpoint({
    access: 'account',
    summary: 'Stop an agent',
    description:
      'From `active` or `paused` (else 400). A running turn is cancelled and its messages wait again; the workspace ends, its files stay. New messages are refused with 503 until it is started.',
    responseDescription: 'It is stopped.',
    response: ChangedStatus,
    errors: ['NOT_FOUND'],
  })
  stop(@Param(AgentParams) { id }: AgentParams) {
    return this.bus.request(stopAgent, { agentId: id });
  }

  @Post(':id/status')
  @Endpoint({
    access: 'account',
    summary: 'Set the status of an agent',
    description:
      'From any status, also to the one it has. `active` starts a stopped agent, or tries again one in `error`; `paused` on a stopped one makes its files available without letting it run.',
    responseDescription: 'The status it has now.',
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
    description:
      'Either `output_token_balance` sets it or `delta` changes it. A `delta` that would take it below zero is 409 with the present balance. With a balance above zero again, what waits is answered at once. Send an `Idempotency-Key` with a `delta`.',
    responseDescription: 'The balance after the change.',
    example: { delta: 100_000 },
    response: Balance,
    errors: ['NOT_FOUND', 'CONFLICT'],
  })
  balance(@Param(AgentParams) { id }: AgentParams, @Body(BalanceChange) body: BalanceChange) {
    return this.bus.request(changeBalance, { agentId: id, ...body });
  }
}
