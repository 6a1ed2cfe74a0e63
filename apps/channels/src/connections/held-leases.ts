import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type Lease, LEASE_MS, releaseLease, RENEW_MS, renewLeases } from './leases.repository.js';

const CHECK_MS = 500;
/** Of a lease that is not renewed, one check early: another replica may take the bot when its row expires. */
const USABLE_MS = LEASE_MS - CHECK_MS;
/** By when the database was asked for it. */
export const isUsable = (askedAt: number) => performance.now() - askedAt <= USABLE_MS;

/**
 * The leases that this replica has, each from `keep` to `release`. One statement renews all of them, so that none is late
 * because there are many; and none is believed in for longer than its row lasts, whether the database answers or not.
 */
export class HeldLeases {
  /** With when the database was asked for it last, by the monotonic clock: its row counts from then at the earliest. */
  private readonly askedAt = new Map<Lease, number>();
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly database: Database,
    private readonly holder: string,
    /** Another replica has the lease, or may have it. Called at most once for each. */
    private readonly onLost: (lease: Lease) => void,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timers = [setInterval(() => void this.renew(), RENEW_MS), setInterval(() => this.dropExpired(), CHECK_MS)];
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** `askedAt` is when it was asked for, not when the answer came. */
  keep(lease: Lease, askedAt: number): void {
    this.askedAt.set(lease, askedAt);
  }

  /** Gives it back, so that any replica can take the bot at once. One that is lost already may be released, too. */
  async release(lease: Lease): Promise<void> {
    this.askedAt.delete(lease);
    await releaseLease(this.database, lease).catch((error: unknown) =>
      this.logger.warn({ err: error }, 'a connection lease was not given back; it expires by itself'),
    );
  }

  /** Waits for no earlier one, which may hang. Those are few: what they were to renew is dropped meanwhile. */
  private async renew(): Promise<void> {
    const leases = [...this.askedAt.keys()];
    if (leases.length === 0) return;
    const askedAt = performance.now();
    try {
      const renewed = new Set(await renewLeases(this.database, this.holder, leases));
      for (const lease of leases) {
        const before = this.askedAt.get(lease);
        if (before === undefined) continue;
        if (renewed.has(lease)) this.askedAt.set(lease, Math.max(before, askedAt));
        else this.lose(lease);
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'connection leases could not be renewed');
    }
  }

  private dropExpired(): void {
    for (const [lease, askedAt] of this.askedAt) if (!isUsable(askedAt)) this.lose(lease);
  }

  private lose(lease: Lease): void {
    this.askedAt.delete(lease);
    this.onLost(lease);
  }
}
