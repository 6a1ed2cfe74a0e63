import {
  claimTurn,
  completeTurn,
  failTurn,
  heartbeatTurn,
  interruptedTurn,
  releaseTurn,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Bus, Handles } from '#lib/bus';
import { Database } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { ReplyWaiters } from '../messages/reply-waiters.js';
import { claim, LEASE_MS } from './claim-turn.js';
import { complete } from './complete-turn.js';
import { fail, interrupted, release } from './fail-turn.js';
import { extendLease, type Fence } from './turn-lease.js';

/** For the brain only: it acts for every account, so these carry none. */
@Controller()
export class TurnsHandlers {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly waiters: ReplyWaiters,
  ) {}

  @Handles(claimTurn)
  async claim({ workerId }: { workerId: string }) {
    return { turn: await this.database.transaction((tx) => claim(tx, workerId)) };
  }

  @Handles(heartbeatTurn)
  async heartbeat(beat: z.output<typeof heartbeatTurn.input>) {
    return this.database.transaction((tx) => extendLease(tx, beat, LEASE_MS, beat.partialReply));
  }

  @Handles(completeTurn)
  async complete(completion: z.output<typeof completeTurn.input>) {
    const { replyIds, agentId } = await this.database.transaction((tx) => complete(tx, completion));
    if (agentId) this.ended(agentId);
    return { replyIds };
  }

  @Handles(failTurn)
  async fail(failure: z.output<typeof failTurn.input>) {
    const { willRetry, agentId } = await this.database.transaction((tx) => fail(tx, failure));
    this.ended(agentId);
    return { willRetry };
  }

  @Handles(interruptedTurn)
  async interrupted(end: z.output<typeof interruptedTurn.input>) {
    const { agentId } = await this.database.transaction((tx) => interrupted(tx, end));
    this.ended(agentId);
    return { accepted: true };
  }

  @Handles(releaseTurn)
  async release(fence: Fence) {
    await this.database.transaction((tx) => release(tx, fence));
    this.bus.signal(WAKE_RUNTIME);
    return { accepted: true };
  }

  /** Whoever waits for the replies hears of it; the agent's next conversation may go on. */
  private ended(agentId: string) {
    this.waiters.ended(agentId);
    this.bus.signal(WAKE_RUNTIME);
  }
}
