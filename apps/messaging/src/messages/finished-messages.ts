import { Bus } from '#lib/bus';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Subscription } from '@nats-io/transport-node';

const SUBJECT = 'settled.messages';
/** A hint may be lost: check again this often. */
const RECHECK_MS = 2_000;

/** Lets a request wait for the end of a message's turn, whichever messaging process records it. */
@Injectable()
export class FinishedMessages implements OnApplicationBootstrap {
  private readonly waiting = new Map<string, Set<() => void>>();
  private subscription: Subscription | undefined;

  constructor(private readonly bus: Bus) {}

  onApplicationBootstrap(): void {
    this.subscription = this.bus.connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (!error) for (const id of message.json<string[]>()) this.wake(id);
      },
    });
    this.bus.stopping.addEventListener('abort', () => {
      for (const id of this.waiting.keys()) this.wake(id);
    });
  }

  /** Notifies all messaging processes; call it after commit. */
  announce(messageIds: string[]): void {
    if (messageIds.length > 0) this.bus.signal(SUBJECT, messageIds);
  }

  /** Resolves when the message's end is announced, when `check`, called at once and now and then, returns true, or when the time is over. */
  async until(messageId: string, waitMs: number, check: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      // Waiting begins before the check: an end that falls between the two must not be missed.
      const finished = this.waitFor(messageId);
      try {
        const isFinished = await check();
        const left = deadline - performance.now();
        if (isFinished || left <= 0 || this.bus.stopping.aborted) return;
        if (await finished.within(Math.min(left, RECHECK_MS))) return;
      } finally {
        finished.forget();
      }
    }
  }

  private waitFor(messageId: string) {
    let wake = () => {};
    const ended = new Promise<true>((resolve) => (wake = () => resolve(true)));
    const wakers = this.waiting.get(messageId) ?? new Set();
    this.waiting.set(messageId, wakers.add(wake));
    let timer: NodeJS.Timeout | undefined;
    return {
      within: (ms: number) =>
        Promise.race([ended, new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)))]),
      forget: () => {
        clearTimeout(timer);
        wakers.delete(wake);
        if (wakers.size === 0) this.waiting.delete(messageId);
      },
    };
  }

  private wake(messageId: string): void {
    for (const wake of this.waiting.get(messageId) ?? []) wake();
  }
}
