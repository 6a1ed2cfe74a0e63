import { Bus, Handles } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { resetSessions } from '#lib/contracts';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { assertOwnAgent } from '../agents/own-agent.js';
import { SessionsRepository } from './sessions.repository.js';

@Controller()
export class SessionsController {
  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(SessionsRepository) private readonly sessions: SessionsRepository,
  ) {}

  @Handles(resetSessions)
  async reset({ agentId, conversationId }: z.output<typeof resetSessions.input>, context: CallContext) {
    await assertOwnAgent(this.bus, context, agentId);
    return { sessionsEnded: await this.sessions.end(agentId, conversationId) };
  }
}
