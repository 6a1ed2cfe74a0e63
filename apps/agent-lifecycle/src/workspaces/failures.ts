const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

interface Failure {
  count: number;
  retryAt: number;
}

/** How often in a row a workspace failed, and when it may be tried again: the wait doubles, up to a minute. */
export class Failures {
  private readonly failures = new Map<string, Failure>();

  constructor(private readonly firstWaitMs = FIRST_WAIT_MS) {}

  /** The count after this failure. */
  add(agentId: string): number {
    const count = (this.failures.get(agentId)?.count ?? 0) + 1;
    const waitMs = Math.min(this.firstWaitMs * 2 ** (count - 1), MAX_WAIT_MS);
    this.failures.set(agentId, { count, retryAt: Date.now() + waitMs });
    return count;
  }

  mayTry(agentId: string): boolean {
    return (this.failures.get(agentId)?.retryAt ?? 0) <= Date.now();
  }

  clear(agentId: string): void {
    this.failures.delete(agentId);
  }
}
