/** What an account alone gets by default: nearly all, and yet others find a free slot at once. */
const DEFAULT_SHARE = 0.8;
/** Part of the slots that is reserved for accounts that hold none, however many others there are. */
const FOR_NEWCOMERS = 0.1;

export interface ShareOptions {
  slots: number;
  /** Most that one account may hold; four fifths of the slots by default, all of them if it is not less. */
  perAccount?: number | undefined;
}

/**
 * Who may take one more of a number of slots. Nothing is taken back from who has it, so a slot must be free before it is
 * needed: an account alone gets `perAccount`; the more the others hold, the less each may add to its own ("dynamic
 * thresholds", Choudhury and Hahne 1998); and a tenth of the slots is left to accounts that hold none.
 */
export class AccountShares {
  readonly slots: number;
  readonly perAccount: number;
  private readonly reserved: number;
  private readonly taken = new Map<string, number>();
  private used = 0;

  constructor({ slots, perAccount }: ShareOptions) {
    this.slots = slots;
    this.perAccount = Math.min(slots, perAccount ?? Math.max(1, Math.floor(slots * DEFAULT_SHARE)));
    this.reserved = Math.min(slots - this.perAccount, Math.ceil(slots * FOR_NEWCOMERS));
  }

  get free(): number {
    return this.slots - this.used;
  }

  takenBy(account: string): number {
    return this.taken.get(account) ?? 0;
  }

  /** Whether the account may take one more, also if it is given `pending` more meanwhile. */
  hasCapacity(account: string, pending = 0): boolean {
    const taken = this.takenBy(account) + pending;
    const free = this.free - pending;
    if (taken === 0) return free > 0;
    const leftToOthers = (taken * (this.slots - this.perAccount)) / this.perAccount;
    return taken < this.perAccount && free > Math.max(this.reserved, leftToOthers);
  }

  /** Accounts that hold something and may take no more: as many as there are slots at most. */
  full(pending = 0): string[] {
    return [...this.taken.keys()].filter((account) => !this.hasCapacity(account, pending));
  }

  /** Whether or not a slot is free. */
  take(account: string): void {
    this.taken.set(account, this.takenBy(account) + 1);
    this.used += 1;
  }

  release(account: string): void {
    const taken = this.takenBy(account);
    if (taken === 0) throw new Error('released more than was taken');
    if (taken === 1) this.taken.delete(account);
    else this.taken.set(account, taken - 1);
    this.used -= 1;
  }
}
