import { Bus, CONFIG, Handles } from '#lib/bus';
import {
  claimTurn,
  completeTurn,
  failTurn,
  heartbeatTurn,
  interruptedTurn,
  recordedSubject,
  releaseTurn,
  suspendTurn,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { spanTime } from '#lib/tracing';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { MessagingConfig } from '../config.js';
import { FinishedMessages } from '../messages/finished-messages.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn as claim } from './claims.service.js';
import { countEnd } from './queue-metrics.js';
import { heartbeatTurn as heartbeat } from './turns.repository.js';
import {
  completeTurn as complete,
  endCancelled,
  type Ended,
  failTurn as fail,
  releaseTurn as release,
  suspendTurn as suspend,
} from './turns.service.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

/** Served to agent-runtime on its own behalf: the fencing token, not an account, decides what a caller may write. */
@Controller()
export class TurnsController {
  private readonly rotation = new AccountRotation();

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly finished: FinishedMessages,
    @Inject(CONFIG) private readonly config: MessagingConfig,
  ) {}

  @Handles(claimTurn)
  async claim({ workerId, fullAccounts = [] }: InputOf<typeof claimTurn>) {
    const leaseMs = this.config.ROOST_LEASE_MS;
    const { tracer } = this.bus;
    const startedAt = tracer.isOn ? spanTime() : 0;
    const claimed = await claim(this.database, this.rotation, { workerId, leaseMs, fullAccounts });
    if (!claimed) return { turn: null, hasMore: false };
    // Whose trace a claim belongs to is known when it has found something.
    if (claimed.traceparents) this.recordClaim(claimed.turnId, claimed.traceparents, startedAt);
    this.bus.signal(recordedSubject(claimed.agentId));
    const { hasMore, ...turn } = claimed;
    return { turn, hasMore };
  }

  @Handles(heartbeatTurn)
  heartbeat(input: InputOf<typeof heartbeatTurn>) {
    return heartbeat(this.database, input, this.config.ROOST_LEASE_MS);
  }

  @Handles(completeTurn)
  async complete(input: InputOf<typeof completeTurn>) {
    const ended = await this.database.transaction((tx) => complete(tx, input));
    // A report that is repeated ended nothing.
    if (ended.finishedIds.length > 0) countEnd('completed');
    this.announce(ended);
    return { replyIds: ended.replyIds };
  }

  @Handles(failTurn)
  async fail(input: InputOf<typeof failTurn>) {
    const retryBaseMs = this.config.ROOST_RETRY_BASE_MS;
    const ended = await this.database.transaction((tx) => fail(tx, input, { retryBaseMs }));
    countEnd(ended.willRetry ? 'retried' : 'failed');
    this.announce(ended);
    return { willRetry: ended.willRetry };
  }

  @Handles(interruptedTurn)
  async interrupted({ partialReply, ...fence }: InputOf<typeof interruptedTurn>) {
    const ended = await this.database.transaction((tx) => endCancelled(tx, fence, partialReply));
    if (ended) countEnd('interrupted');
    if (ended) this.announce(ended);
    return { accepted: true };
  }

  @Handles(releaseTurn)
  async release(input: InputOf<typeof releaseTurn>) {
    const ended = await this.database.transaction((tx) => release(tx, input));
    if (ended) countEnd('released');
    if (ended) this.announce(ended);
    return { accepted: true };
  }

  @Handles(suspendTurn)
  async suspend(input: InputOf<typeof suspendTurn>) {
    const { suspended, ...ended } = await this.database.transaction((tx) => suspend(tx, input));
    countEnd(suspended ? 'suspended' : 'interrupted');
    this.bus.hint(recordedSubject(ended.agentId));
    this.announce(ended);
    return { suspended };
  }

  private recordClaim(turnId: string, [parent, ...links]: string[], startedAt: number): void {
    const attributes = { 'roost.run.id': turnId, 'roost.batch.size': links.length + 1 };
    this.bus.tracer.record('claim turn', { kind: 'server', parent, links, startedAt, attributes });
  }

  private announce({ finishedIds, hasMoreWork }: Ended): void {
    this.finished.announce(finishedIds);
    if (hasMoreWork) this.bus.signal(WAKE_RUNTIME);
  }
}
