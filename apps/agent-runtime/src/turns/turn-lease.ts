import { type ClaimedTurn, heartbeatTurn, interruptSubject, RoostError } from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import type { Bus } from '#lib/bus';
import type { Subscription } from '@nats-io/transport-node';
import { TurnStopped } from './turn-end.js';

/** What the lease needs to know of the running turn at each heartbeat. */
export interface TurnProgress {
  partialReply(): string;
  /** Receives how many messages of the conversation wait, as often as the lease is extended. */
  onWaiting(count: number): void;
}

/**
 * Holds a turn's lease while it runs: extends it every third of its time, and aborts the turn when it was
 * interrupted or when the lease can no longer be ours. Between heartbeats an `interrupt.<agentId>` signal asks for
 * one at once, so that an interrupt takes effect within milliseconds; a lost signal costs one heartbeat.
 */
export class TurnLease {
  private readonly timer: NodeJS.Timeout;
  private readonly interrupts: Subscription;
  /** As of the latest heartbeat: a budget is exhausted, by other turns of the account. */
  lacksBudget = false;
  private extendedAt = performance.now();

  constructor(
    private readonly bus: Bus,
    private readonly turn: ClaimedTurn,
    private readonly progress: TurnProgress,
    private readonly abort: AbortController,
  ) {
    this.timer = setInterval(() => void this.extend(), turn.leaseMs / 3);
    this.interrupts = bus.connection.subscribe(interruptSubject(turn.agentId), { callback: () => void this.extend() });
  }

  release(): void {
    clearInterval(this.timer);
    this.interrupts.unsubscribe();
  }

  /** Extends it if that was not done within the last second: a running turn also learns of waiting messages by it. */
  async extendIfDue(): Promise<void> {
    if (performance.now() - this.extendedAt > 1_000) await this.extend();
  }

  private async extend(): Promise<void> {
    const { turnId, fencingToken, leaseMs } = this.turn;
    const askedAt = performance.now();
    try {
      const { cancelled, stopped, lacksBudget, waitingMessages } = await this.bus.request(
        heartbeatTurn,
        { turnId, fencingToken, partialReply: this.progress.partialReply() },
        ownCall(`turn_${turnId}`, leaseMs / 3),
      );
      this.extendedAt = askedAt;
      this.lacksBudget = lacksBudget;
      if (cancelled) this.abort.abort(new TurnStopped(stopped ? 'stopped' : 'interrupted'));
      else this.progress.onWaiting(waitingMessages);
    } catch (error) {
      const isLost = error instanceof RoostError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND');
      // Nobody extended it for its whole length: another worker may have the turn by now.
      if (isLost || performance.now() - this.extendedAt > leaseMs) this.abort.abort(new TurnStopped('lease-lost'));
    }
  }
}
