/** Exclusive bounds that no account's id has. */
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Ranges of account ids, both bounds exclusive, in the order in which they are to be searched. */
export interface AccountRanges {
  after: string[];
  before: string[];
}

/**
 * Round robin among accounts: a claim takes the first account with work behind the one that was served last, in the order of
 * their ids and around. So an account waits for at most one turn of each other, however many of those' agents wait, and
 * nothing has to be counted, written or locked for it. Each process rotates on its own.
 */
export class AccountRotation {
  private last = FIRST;

  served(accountId: string): void {
    this.last = accountId;
  }

  /** All accounts but `full`, from the next one on. One range is one lookup in the index. */
  ranges(full: string[]): AccountRanges {
    const excluded = [...new Set(full.map((id) => id.toLowerCase()))].sort();
    const bounds = [FIRST, ...excluded, LAST];
    const ranges = bounds.slice(1).map((before, index) => ({ after: bounds[index]!, before }));
    const current = ranges.findIndex(({ before }) => this.last < before);
    const range = ranges[current]!;
    const order = [
      { after: this.last, before: range.before },
      ...ranges.slice(current + 1),
      ...ranges.slice(0, current),
      ...(this.last > range.after ? [{ after: range.after, before: following(this.last) }] : []),
    ];
    return { after: order.map(({ after }) => after), before: order.map(({ before }) => before) };
  }
}

function following(id: string): string {
  const next = (BigInt(`0x${id.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0');
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
