import { Bus } from '#lib/bus';
import { resetSessions, wire } from '#lib/contracts';
import { Controller, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const Reset = wire({
  conversationId: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe('Only the session of this conversation; all of the agent if not given.'),
});
type Reset = z.output<typeof Reset>;

/** spec: runtime.md, "Sessions" */
@Tag('Agents')
@Controller('v1/agent')
export class SessionsController {
  constructor(private readonly bus: Bus) {}

  @Post(':id/sessions/reset')
  @Endpoint({
    access: 'account',
    summary: 'Start afresh: end the open sessions, or that of one conversation',
    description:
      'The next turn begins without what was said before: what `/new` does in a chat. Files and, if it is `persistent`, memory stay; `session_end` is carried out first. Messages stay readable.',
    responseDescription: 'How many were ended; 0 when none was open.',
    response: resetSessions.output,
    status: 200,
    errors: ['NOT_FOUND'],
  })
  reset(@Param(AgentParams) { id }: AgentParams, @Body(Reset) body: Reset) {
    return this.bus.request(resetSessions, { agentId: id, ...body });
  }
}
