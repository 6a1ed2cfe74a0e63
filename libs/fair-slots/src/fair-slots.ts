import { AccountShares, type ShareOptions } from './account-shares.js';
import { FairQueue } from './fair-queue.js';

export interface FairSlotsOptions extends ShareOptions {
  /** How many of one account may wait; one more is refused. Waiting costs memory too. */
  maxWaiting: number;
}

/** More of the account's work waits already than may. */
export class TooManyWaiting extends Error {
  constructor() {
    super('too much of this account waits already');
    this.name = 'TooManyWaiting';
  }
}

/**
 * Runs work in a limited number of slots. Who finds none waits: first come, first served within an account, one after
 * the other between accounts. Passing over accounts whose share is used up costs one step each, of which there are no
 * more than slots.
 */
export class FairSlots {
  private readonly shares: AccountShares;
  private readonly maxWaiting: number;
  private readonly queue = new FairQueue<() => void>();

  constructor(options: FairSlotsOptions) {
    this.shares = new AccountShares(options);
    this.maxWaiting = options.maxWaiting;
  }

  get waiting(): number {
    return this.queue.size;
  }

  /** Gives what `work` gives. Errors: TooManyWaiting; `signal`'s reason when it is aborted before the work began. */
  async run<T>(account: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(account, signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Takes a slot if one is free for the account; gives its release, which may be called again. */
  tryAcquire(account: string): (() => void) | undefined {
    if (this.queue.sizeOf(account) > 0 || !this.shares.hasCapacity(account)) return undefined;
    return this.take(account);
  }

  /** Waits for a slot and gives its release. Errors: as of `run`. */
  async acquire(account: string, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    const release = this.tryAcquire(account);
    if (release) return release;
    if (this.queue.sizeOf(account) >= this.maxWaiting) throw new TooManyWaiting();
    return new Promise((resolve, reject) => {
      const abandon = () => {
        this.queue.remove(account, start);
        reject(signal?.reason);
      };
      const start = () => {
        signal?.removeEventListener('abort', abandon);
        resolve(this.take(account));
      };
      this.queue.push(account, start);
      signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  private take(account: string): () => void {
    this.shares.take(account);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.shares.release(account);
      this.startNext();
    };
  }

  private startNext(): void {
    const next = () =>
      this.shares.free > 0 ? this.queue.shift((account) => this.shares.hasCapacity(account)) : undefined;
    for (let start = next(); start; start = next()) start();
  }
}
