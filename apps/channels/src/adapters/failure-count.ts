/** What fails so often for a reason of its own that does not pass (see `mayPass`) is given up: its chat waits behind it. */
export const MAX_FAILURES = 10;
/** All are forgotten when there are more. */
const MAX_COUNTED = 10_000;

/** How often each message, or part of one, failed here for a reason of its own. A restart begins anew. */
export class FailureCount {
  private readonly counts = new Map<string, number>();

  /** With this one. */
  add(id: string): number {
    const count = (this.counts.get(id) ?? 0) + 1;
    if (this.counts.size >= MAX_COUNTED) this.counts.clear();
    this.counts.set(id, count);
    return count;
  }

  /** It is through, or given up. */
  forget(id: string): void {
    this.counts.delete(id);
  }
}
