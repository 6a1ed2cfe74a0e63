import { claimTurn, type ClaimedTurn, WAKE_RUNTIME } from '#lib/contracts';
import { ownCall } from '#lib/call-context';
import type { Logger } from '#lib/observability';
import type { Bus } from '#lib/bus';
import { AccountShares } from '#lib/fair-slots';
import type { Subscription } from '@nats-io/transport-node';
import { setMaxListeners } from 'node:events';
import { TurnStopped } from './turn-end.js';

export interface WorkerPoolOptions {
  workerId: string;
  maxTurns: number;
  /** Most of them that are one account's. */
  accountTurns?: number | undefined;
  /** How long between two claims when no hint comes. */
  pollMs: number;
  /** Must never throw. */
  run(turn: ClaimedTurn, abort: AbortController): Promise<void>;
}

const MAX_CLAIMS = 4;
const QUEUE = 'runtime';

/**
 * Claims turns and runs them side by side. Looks for work when a hint comes, when a claim says that more waits, when
 * it has capacity again, and once per `pollMs`: hints make it fast, the poll makes it certain. Accounts share the
 * slots: one that holds its share is left out of claims until a turn ends.
 */
export class WorkerPool {
  private readonly running = new Map<Promise<void>, AbortController>();
  private claiming = 0;
  private hintMissed = false;
  private readonly shares: AccountShares;
  /** Accounts whose turns the last claim was not to bring. */
  private leftOut: string[] = [];
  private isStopping = false;
  private isMessagingAway = false;
  private hints: Subscription | undefined;
  private poll: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly options: WorkerPoolOptions,
    private readonly logger: Logger,
  ) {
    this.shares = new AccountShares({ slots: options.maxTurns, perAccount: options.accountTurns });
  }

  start(): void {
    this.listen();
    this.schedulePoll();
  }

  /** Takes nothing new, lets turns finish for `graceMs`, then hands the rest back. */
  async stop(graceMs: number): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.poll);
    this.hints?.unsubscribe();
    const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([this.idle(), grace]);
    for (const abort of this.running.values()) abort.abort(new TurnStopped('shutdown'));
    await this.idle();
  }

  /** Also waits for claims under way: what they bring is handed back by the turn itself. */
  private async idle(): Promise<void> {
    while (this.running.size > 0 || this.claiming > 0) {
      await Promise.race([...this.running.keys(), new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }

  private get isFull(): boolean {
    return this.running.size + this.claiming >= this.options.maxTurns;
  }

  /**
   * Only a worker with free slots listens: a hint that reaches a full one would wake nobody. One that begins to listen looks
   * once by itself, since hints may have passed before.
   */
  private listen(): void {
    if (this.isStopping) return;
    if (this.isFull) {
      this.hints?.unsubscribe();
      this.hints = undefined;
    } else if (!this.hints) {
      this.hints = this.bus.connection.subscribe(WAKE_RUNTIME, { queue: QUEUE, callback: () => this.claimMore() });
      this.claimMore();
    }
  }

  private schedulePoll(): void {
    this.poll = setTimeout(
      () => {
        this.claimMore();
        this.schedulePoll();
      },
      this.options.pollMs * (0.8 + Math.random() * 0.4),
    );
  }

  private claimMore(): void {
    if (this.isStopping) return;
    this.hintMissed = this.isFull || this.claiming >= this.maxClaims;
    if (!this.hintMissed) void this.claim();
  }

  /** Claims under way may all bring turns of one account: they must not exceed its share together. */
  private get maxClaims(): number {
    const { slots, perAccount, free } = this.shares;
    const isScarce = perAccount < slots && free - this.claiming <= slots - perAccount;
    return isScarce ? 1 : Math.min(MAX_CLAIMS, perAccount);
  }

  private async claim(): Promise<void> {
    const fullAccounts = this.shares.full(this.claiming);
    this.leftOut = fullAccounts;
    this.claiming++;
    let moreWaits = false;
    try {
      const { turn, hasMore } = await this.bus.request(
        claimTurn,
        { workerId: this.options.workerId, ...(fullAccounts.length > 0 ? { fullAccounts } : {}) },
        ownCall(`claim_${this.options.workerId}`, 5_000),
      );
      if (this.isMessagingAway) this.logger.info('messaging answers again');
      this.isMessagingAway = false;
      moreWaits = turn !== null && hasMore;
      if (turn) this.run(turn);
    } catch (error) {
      // The poll goes on; one line per outage is enough.
      if (!this.isMessagingAway) this.logger.warn({ err: error }, 'turns cannot be claimed for now');
      this.isMessagingAway = true;
    } finally {
      this.claiming--;
    }
    this.listen();
    if (moreWaits || this.hintMissed) this.claimMore();
  }

  private run(turn: ClaimedTurn): void {
    const abort = new AbortController();
    // Every step and every tool call of a turn listens for its end.
    setMaxListeners(0, abort.signal);
    if (this.isStopping) abort.abort(new TurnStopped('shutdown'));
    this.shares.take(turn.accountId);
    const run = this.options.run(turn, abort).finally(() => {
      this.running.delete(run);
      this.shares.release(turn.accountId);
      this.listen();
      if (this.hintMissed || this.leftOut.some((account) => this.shares.hasCapacity(account, this.claiming)))
        this.claimMore();
    });
    this.running.set(run, abort);
  }
}
