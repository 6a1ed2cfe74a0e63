import { Database } from '#lib/database';
import { AccountLimits, quotaExceeded } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import { countWaiting } from './messages.repository.js';

/** An estimate is renewed after this; sooner where another replica's messages could make the difference. */
const RENEW_MS = 60_000;
const RENEW_NEAR_LIMIT_MS = 5_000;
/** An account that is full is counted again after this at the earliest: a flood of refused messages costs no counts. */
const FULL_MS = 250;
/** Beyond it all are counted anew. */
const MAX_ACCOUNTS = 10_000;

interface Estimate {
  /** At least what waits: only counting lowers it. */
  atMost: number;
  counted: number;
  countedAt: number;
  /** Messages that were let in, ever, and those of them whose send has not ended. */
  admitted: number;
  inFlight: number;
  counting: Promise<void> | undefined;
}

/**
 * Holds an account to the messages it may have waiting, without a statement per message: each counts from the moment it
 * is let in, and the table is counted when the estimate reaches the limit, or is old. Exact for one messaging process.
 * Not promised: with several, what the others let in within the last seconds is not seen.
 */
@Injectable()
export class WaitingQuota {
  private readonly estimates = new Map<string, Estimate>();

  constructor(
    private readonly database: Database,
    private readonly limits: AccountLimits,
  ) {}

  /** Lets a message in; the caller calls the returned function when the send has ended. Errors: QUOTA_EXCEEDED. */
  async admit(accountId: string): Promise<() => void> {
    const known = this.limits.recent(accountId, 'messages_waiting');
    const limit = typeof known === 'number' ? known : await known;
    const estimate = this.estimateOf(accountId);
    const age = Date.now() - estimate.countedAt;
    if (estimate.atMost < limit) {
      if (age > (estimate.atMost > limit / 2 ? RENEW_NEAR_LIMIT_MS : RENEW_MS))
        void this.count(accountId, estimate).catch(() => undefined); // the next message tries again
    } else if (age > FULL_MS) await this.count(accountId, estimate);
    // What is on its way may have been counted twice: the error states what is sure.
    if (estimate.atMost >= limit) throw quotaExceeded('messages_waiting', limit, Math.max(limit, estimate.counted));
    estimate.atMost += 1;
    estimate.admitted += 1;
    estimate.inFlight += 1;
    return () => (estimate.inFlight -= 1);
  }

  private estimateOf(accountId: string): Estimate {
    const known = this.estimates.get(accountId);
    if (known) return known;
    if (this.estimates.size >= MAX_ACCOUNTS) this.estimates.clear();
    // Nothing is known yet: as good as full, so that it is counted first.
    const estimate = { atMost: Infinity, counted: 0, countedAt: 0, admitted: 0, inFlight: 0, counting: undefined };
    this.estimates.set(accountId, estimate);
    return estimate;
  }

  /** What is not on disk yet, or came while we counted, is not seen by the count: it is added. */
  private count(accountId: string, estimate: Estimate): Promise<void> {
    const { admitted, inFlight } = estimate;
    estimate.counting ??= countWaiting(this.database, accountId)
      .then((counted) => {
        estimate.atMost = counted + inFlight + estimate.admitted - admitted;
        estimate.counted = counted;
        estimate.countedAt = Date.now();
      })
      .finally(() => (estimate.counting = undefined));
    return estimate.counting;
  }
}
