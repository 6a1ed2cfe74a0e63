import { Bus } from '#lib/bus';
import { explainFields, explainPermissions, Explanation, wire } from '#lib/contracts';
import { Controller, Post } from '@nestjs/common';
import type { z } from 'zod';
import { Body, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const ExplainCall = wire(explainFields).meta({
  id: 'ExplainCall',
  description: 'A call of a tool, as it might be made.',
});
type ExplainCall = z.output<typeof ExplainCall>;

/** What an agent's tools may do unasked (docs/guide/permissions.md). */
@Tag('Agents')
@Controller('v1/agent/:id/permissions')
export class PermissionsController {
  constructor(private readonly bus: Bus) {}

  @Post('explain')
  @Endpoint({
    access: 'account',
    summary: 'Explain what an agent’s permissions make of a call',
    description:
      'Says what would become of a call of a tool, which rule decides and why those before it do not. Nothing is called and ' +
      'nothing is saved. With `permissions` it answers for those instead of the agent’s own, to try them before they are set.',
    responseDescription: 'What would become of the call.',
    example: {
      tool: 'bash',
      arguments: { command: 'rm -r notes' },
      permissions: { rules: [{ tool: 'bash', action: 'ask' }] },
    },
    response: Explanation,
    errors: ['NOT_FOUND'],
  })
  explain(@Param(AgentParams) { id }: AgentParams, @Body(ExplainCall) call: ExplainCall) {
    return this.bus.request(explainPermissions, { agentId: id, ...call });
  }
}
