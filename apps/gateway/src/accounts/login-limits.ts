import { RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';

const WINDOW_MS = 15 * 60_000;
const MAX_PER_EMAIL = 10;
const MAX_PER_ADDRESS = 50;
const MAX_KNOWN = 100_000;

/**
 * Brakes guessing of passwords and codes, per email and per address, whether or not the email exists.
 * Not promised: a count over replicas; each counts what it sees.
 */
@Injectable()
export class LoginLimits {
  private readonly tries = new Map<string, { count: number; until: number }>();

  /** Counts a try. Errors: RATE_LIMITED. */
  admit(address: string, email: string): void {
    this.count(`address ${address}`, MAX_PER_ADDRESS);
    this.count(`email ${email}`, MAX_PER_EMAIL);
  }

  /** A success shows that it was no guessing. */
  forgive(email: string): void {
    this.tries.delete(`email ${email}`);
  }

  private count(who: string, max: number): void {
    const now = Date.now();
    if (this.tries.size > MAX_KNOWN) for (const [key, { until }] of this.tries) if (until < now) this.tries.delete(key);
    const known = this.tries.get(who);
    const current = known && known.until > now ? known : { count: 0, until: now + WINDOW_MS };
    if (current.count >= max)
      throw new RoostError(
        'RATE_LIMITED',
        'too many tries; wait before the next',
        [],
        Math.ceil((current.until - now) / 1000),
      );
    current.count += 1;
    this.tries.set(who, current);
  }
}
