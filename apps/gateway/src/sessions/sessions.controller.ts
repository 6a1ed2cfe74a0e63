import { Bus } from '#lib/bus';
import { resetSessions, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';
import { AgentParams } from '../http/params.js';

const Reset = wire({ conversationId: z.string().min(1).max(300).optional() });

/** spec: runtime.md, "Sessions" */
@Controller('v1/agent')
export class SessionsController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    access: 'account',
    tag: 'Agents',
    method: 'POST',
    path: ':id/sessions/reset',
    summary: 'Start afresh: end the open sessions, or that of one conversation',
    params: AgentParams,
    body: Reset,
    response: resetSessions.output,
    status: 200,
    errors: ['NOT_FOUND'],
  })
  reset({ params, body }: Call<z.output<typeof AgentParams>, unknown, z.output<typeof Reset>>) {
    return this.bus.request(resetSessions, { agentId: params.id, ...body });
  }
}
