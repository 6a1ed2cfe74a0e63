import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createHash } from 'node:crypto';

const WINDOW = '15 minutes';
const MAX_PER_EMAIL = 10;
const MAX_PER_ADDRESS = 50;
const SWEEP_EVERY_MS = 10 * 60_000;

/**
 * Brakes guessing of passwords and codes, per email and per address, whether or not the email exists; counted in
 * Postgres, so that another replica gives no new tries. Emails and addresses are kept as hashes only.
 */
@Injectable()
export class LoginLimits implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    // A sweep that fails is done by the next one; the rows only take room.
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Counts a try of an address, and of an email where there is one. Errors: RATE_LIMITED. */
  async admit(address: string, email?: string): Promise<void> {
    await this.count(`address ${address}`, MAX_PER_ADDRESS);
    if (email !== undefined) await this.count(`email ${email}`, MAX_PER_EMAIL);
  }

  /** A success shows that it was no guessing. */
  async forgive(email: string): Promise<void> {
    await this.database.query(`DELETE FROM login_tries WHERE who = $1`, [hashOf(`email ${email}`)]);
  }

  private async count(who: string, max: number): Promise<void> {
    const [row] = await this.database.query<{ count: number; seconds: number }>(
      `INSERT INTO login_tries AS kept (who, count, until) VALUES ($1, 1, now() + $2::interval)
       ON CONFLICT (who) DO UPDATE SET
         count = CASE WHEN kept.until < now() THEN 1 ELSE least(kept.count + 1, 1000000) END,
         until = CASE WHEN kept.until < now() THEN excluded.until ELSE kept.until END
       RETURNING count, ceil(extract(epoch FROM until - now()))::int AS seconds`,
      [hashOf(who), WINDOW],
    );
    if (row && row.count > max)
      throw new RoostError('RATE_LIMITED', 'too many tries; wait before the next', [], Math.max(1, row.seconds));
  }

  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM login_tries WHERE who IN (SELECT who FROM login_tries WHERE until < now() LIMIT 10000)`,
    );
  }
}

const hashOf = (who: string) => createHash('sha256').update(who).digest('base64url');
