import { Bus } from '#lib/bus';
import { getNetworkLog, wire } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { Param, Query } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const LogQuery = wire({
  limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(100).describe('Most requests to return.'),
});
type LogQuery = z.output<typeof LogQuery>;

/** What an agent reached through the egress proxy, or was refused. */
@Tag('Network')
@Controller('v1/agent/:id/network')
export class NetworkController {
  constructor(private readonly bus: Bus) {}

  @Get('log')
  @Endpoint({
    access: 'account',
    summary: 'List the latest requests to the outside, newest first',
    description:
      'What the agent’s commands and programs called through the egress proxy, and what was refused and why. For finding out which host `network.allow` is missing.',
    responseDescription: 'The latest requests.',
    response: getNetworkLog.output,
    errors: ['NOT_FOUND'],
  })
  log(@Param(AgentParams) { id }: AgentParams, @Query(LogQuery) query: LogQuery) {
    return this.bus.request(getNetworkLog, { agentId: id, limit: query.limit });
  }
}
