/** What waits, by account: in the order of arrival within one, one after the other between them. */
export class FairQueue<T> {
  /** In the order in which the accounts come next. */
  private readonly queues = new Map<string, T[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  sizeOf(account: string): number {
    return this.queues.get(account)?.length ?? 0;
  }

  push(account: string, item: T): void {
    const queue = this.queues.get(account);
    if (queue) queue.push(item);
    else this.queues.set(account, [item]);
    this.count += 1;
  }

  /** Gives the next one and puts its account behind the others. Accounts that may not come keep their position. */
  shift(mayCome: (account: string) => boolean = () => true): T | undefined {
    for (const [account, queue] of this.queues) {
      if (!mayCome(account)) continue;
      const item = queue.shift();
      this.queues.delete(account);
      if (queue.length > 0) this.queues.set(account, queue);
      this.count -= 1;
      return item;
    }
    return undefined;
  }

  remove(account: string, item: T): void {
    const queue = this.queues.get(account) ?? [];
    const index = queue.indexOf(item);
    if (index < 0) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.queues.delete(account);
    this.count -= 1;
  }
}
