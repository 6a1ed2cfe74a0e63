import { Bus, Handles } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { resetSessions } from '#lib/contracts';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { assertOwnAgent } from '../own-agent.js';
import { SessionStore } from './session-store.js';

@Controller()
export class SessionsController {
  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(SessionStore) private readonly sessions: SessionStore,
  ) {}

  @Handles(resetSessions)
  async reset({ agentId, conversationId }: z.output<typeof resetSessions.input>, context: CallContext) {
    await assertOwnAgent(this.bus, context, agentId);
    return { sessionsEnded: await this.sessions.end(agentId, conversationId) };
  }
}
