import { Bus } from '#lib/bus';
import { getNetworkLog, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const LogQuery = wire({ limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(100) });

/** What an agent reached through the egress proxy, or was refused. */
@Controller('v1/agent/:id/network')
export class NetworkController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    access: 'account',
    tag: 'Network',
    method: 'GET',
    path: 'log',
    summary: 'List the latest requests to the outside, newest first',
    params: AgentParams,
    query: LogQuery,
    response: getNetworkLog.output,
    errors: ['NOT_FOUND'],
  })
  log({ params, query }: Call<z.output<typeof AgentParams>, z.output<typeof LogQuery>>) {
    return this.bus.request(getNetworkLog, { agentId: params.id, limit: query.limit });
  }
}
