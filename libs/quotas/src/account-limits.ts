import { Bus, CONFIG } from '#lib/bus';
import { currentCall, ownCall } from '#lib/call-context';
import { type QuotaAmounts, type QuotaName, quotaLimits } from '#lib/contracts';
import { Inject, Injectable } from '@nestjs/common';
import { limitsForAll, type QuotaEnvironment } from './quota-environment.js';

/** For checks on the hot path: a changed quota counts after this at the latest. */
const CACHE_MS = 1_000;
/** Beyond it all are asked for anew. */
const MAX_ACCOUNTS = 10_000;

interface Known {
  limits: QuotaAmounts;
  until: number;
}

/**
 * The limits of accounts, which the gateway keeps. While it is away those last known count, else those for all: a
 * service goes on without it.
 */
@Injectable()
export class AccountLimits {
  private readonly known = new Map<string, Known>();
  private readonly asking = new Set<string>();
  private readonly forAll: Record<QuotaName, number>;

  constructor(
    private readonly bus: Bus,
    @Inject(CONFIG) config: QuotaEnvironment,
  ) {
    this.forAll = limitsForAll(config);
  }

  /** As it is now: for what is made seldom. */
  async of(accountId: string, quota: QuotaName): Promise<number> {
    return (await this.all(accountId))[quota];
  }

  async all(accountId: string): Promise<Record<QuotaName, number>> {
    return { ...this.forAll, ...(await this.ask(accountId)) };
  }

  /**
   * As it was a moment ago, without asking: for what happens often. An old answer is renewed in the background; only
   * the first time an account is seen is it asked for.
   */
  recent(accountId: string, quota: QuotaName): number | Promise<number> {
    const known = this.known.get(accountId);
    if (!known) return this.of(accountId, quota);
    if (known.until < performance.now() && !this.asking.has(accountId)) void this.ask(accountId);
    return known.limits[quota] ?? this.forAll[quota];
  }

  private async ask(accountId: string): Promise<QuotaAmounts> {
    this.asking.add(accountId);
    const call = currentCall() ?? ownCall('req_quota_limits', quotaLimits.timeoutMs);
    const limits = await this.bus
      .request(quotaLimits, { accountId }, { ...call, accountId: null, deadline: Date.now() + quotaLimits.timeoutMs })
      .then(
        (answer) => answer.limits as QuotaAmounts,
        () => this.known.get(accountId)?.limits ?? {},
      )
      .finally(() => this.asking.delete(accountId));
    if (this.known.size >= MAX_ACCOUNTS) this.known.clear();
    this.known.set(accountId, { limits, until: performance.now() + CACHE_MS });
    return limits;
  }
}
