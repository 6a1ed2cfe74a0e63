import { Bus, Handles } from '#lib/bus';
import type { CallContext } from '#lib/call-context';
import { cancelApprovals, resetSessions } from '#lib/contracts';
import { reachedNobody } from '#lib/rpc';
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
    // What waits for a person belongs to the session that ends.
    await this.bus.request(cancelApprovals, { agentId, conversationId }, context).catch(unlessUnserved);
    return { sessionsEnded: await this.sessions.end(agentId, conversationId) };
  }
}

/** A messaging service of an older version knows no approvals, so that nothing waits for any. */
function unlessUnserved(error: unknown): void {
  if (!reachedNobody(error)) throw error;
}
