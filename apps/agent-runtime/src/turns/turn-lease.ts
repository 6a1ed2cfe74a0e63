import { type ClaimedTurn, heartbeatTurn, interruptSubject, RoostError } from '#lib/contracts';
import { ownCall } from '#lib/bus/rpc';
import type { BusPort } from '../bus-port.js';
import { TurnStopped } from './turn-end.js';

/** What the lease needs to know of the running turn at each heartbeat. */
export interface HeldTurn {
  partialReply(): string;
  /** Told how many messages of the conversation wait, as often as the lease is extended. */
  onWaiting(count: number): void;
}

/**
 * Holds a turn's lease while it runs: extends it every third of its time, and aborts the turn when it was
 * interrupted or when the lease can no longer be ours. Between heartbeats an `interrupt.<agentId>` signal asks for
 * one at once, so that an interrupt takes effect within milliseconds; a lost signal costs one heartbeat.
 */
export class TurnLease {
  private readonly timer: NodeJS.Timeout;
  private readonly unsubscribe: () => void;
  private extendedAt = Date.now();

  constructor(
    private readonly bus: BusPort,
    private readonly turn: ClaimedTurn,
    private readonly held: HeldTurn,
    private readonly abort: AbortController,
  ) {
    this.timer = setInterval(() => void this.extend(), turn.leaseMs / 3);
    this.unsubscribe = bus.subscribe(interruptSubject(turn.agentId), () => void this.extend());
  }

  release(): void {
    clearInterval(this.timer);
    this.unsubscribe();
  }

  /** Extends it if that was not done within the last second: also how a running turn hears of waiting messages. */
  async freshen(): Promise<void> {
    if (Date.now() - this.extendedAt > 1_000) await this.extend();
  }

  private async extend(): Promise<void> {
    const { turnId, fencingToken, leaseMs } = this.turn;
    const askedAt = Date.now();
    try {
      const { cancelled, waitingMessages } = await this.bus.request(
        heartbeatTurn,
        { turnId, fencingToken, partialReply: this.held.partialReply() },
        ownCall(`turn_${turnId}`, leaseMs / 3),
      );
      this.extendedAt = askedAt;
      if (cancelled) this.abort.abort(new TurnStopped('interrupted'));
      else this.held.onWaiting(waitingMessages);
    } catch (error) {
      const isLost = error instanceof RoostError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND');
      // Nobody extended it for its whole length: another worker may have the turn by now.
      if (isLost || Date.now() - this.extendedAt > leaseMs) this.abort.abort(new TurnStopped('lease-lost'));
    }
  }
}
