import { ACCOUNT_BATCH, type Capacity, type ClaimedDelivery } from './claims.repository.js';

interface Load {
  /** Claimed and not done. */
  taken: number;
  /** The last claim took all that it could of this account: more may wait, also of endpoints that hold nothing. */
  mayHaveMore: boolean;
}

/** What this process holds of each account, how much more it claims, and which account comes next. */
export class AccountLoad {
  private readonly loads = new Map<string, Load>();
  private last = '00000000-0000-0000-0000-000000000000';

  /** `most`: claimed at a time of one account; `chunk`: with less capacity than this a claim is not worth its cost. */
  constructor(
    private readonly most: number,
    private readonly chunk: number,
  ) {}

  request(): { accounts: Capacity; after: string } {
    const of = new Map([...this.loads.keys()].map((id) => [id, this.capacity(id)]));
    return { accounts: { of, default: this.most }, after: this.last };
  }

  hasCapacity(accountId: string): boolean {
    return this.capacity(accountId) >= this.chunk;
  }

  mayHaveMore(accountId: string): boolean {
    return this.loads.get(accountId)?.mayHaveMore ?? false;
  }

  /** Whether an account has capacity for what the last claim left. */
  shouldClaim(): boolean {
    return [...this.loads].some(([id, { mayHaveMore }]) => mayHaveMore && this.hasCapacity(id));
  }

  /** `capacity`: what the claim was given for each account. */
  claimed(deliveries: ClaimedDelivery[], capacity: Capacity, isFull: boolean): void {
    const found = new Map<string, number>();
    for (const { account_id } of deliveries) found.set(account_id, (found.get(account_id) ?? 0) + 1);
    for (const [id, count] of found) this.loads.set(id, { taken: this.taken(id) + count, mayHaveMore: false });
    for (const [id, load] of this.loads) {
      const allowed = Math.min(capacity.of.get(id) ?? capacity.default, ACCOUNT_BATCH);
      load.mayHaveMore = isFull || (found.get(id) ?? 0) >= allowed;
      this.forgetIfIdle(id, load);
    }
    if (isFull) this.moveOn([...found.keys()].sort());
  }

  done(accountId: string): void {
    const load = this.loads.get(accountId);
    if (!load) return;
    load.taken -= 1;
    this.forgetIfIdle(accountId, load);
  }

  private moveOn(served: string[]): void {
    const wrapped = served.filter((id) => id <= this.last);
    this.last = wrapped.at(-1) ?? served.at(-1) ?? this.last;
  }

  private taken(accountId: string): number {
    return this.loads.get(accountId)?.taken ?? 0;
  }

  private capacity(accountId: string): number {
    return Math.max(0, this.most - this.taken(accountId));
  }

  private forgetIfIdle(accountId: string, { taken, mayHaveMore }: Load): void {
    if (taken === 0 && !mayHaveMore) this.loads.delete(accountId);
  }
}
