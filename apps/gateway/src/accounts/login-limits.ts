import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { addressKey } from '../limits/address-key.js';

const WINDOW = '15 minutes';
/**
 * Tries in a window. One address may try little for one email, and the email has far more over all addresses: a
 * stranger uses up her own tries and not the owner's, and a guesser with many addresses is bounded all the same.
 */
const MAX_TRIES = {
  /** Of a password. */
  password: { perPair: 10, perEmail: 200 },
  /** Of a code. Beside it each code has its own few tries. */
  code: { perPair: 10, perEmail: 200 },
  /** Mails that somebody asks us to send to the email. */
  mail: { perPair: 5, perEmail: 50 },
};
const MAX_PER_ADDRESS = 50;
/** How long an address from which somebody signed in is not counted with all others. */
const PLACE_KEPT_FOR = '90 days';
const SWEEP_EVERY_MS = 10 * 60_000;

export interface Try {
  address: string;
  email?: string;
  of: keyof typeof MAX_TRIES;
}

/**
 * Brakes guessing of passwords and codes, and mail that nobody wants, by address and by email together, whether or not
 * the email exists. Counted in Postgres, so that another replica gives no new tries. Emails and addresses are kept as
 * hashes only. From where the owner signed in before, the sum over all addresses does not hold: attacked from
 * everywhere, they still get in.
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

  /** Counts a try before it is made. Errors: RATE_LIMITED. */
  async admit({ address, email, of }: Try): Promise<void> {
    const place = addressKey(address);
    await this.count(`address ${place}`, MAX_PER_ADDRESS);
    if (email === undefined) return;
    const { perPair, perEmail } = MAX_TRIES[of];
    await this.count(`${of} of ${email} from ${place}`, perPair);
    if (!(await this.isKnown(place, email))) await this.count(`${of} of ${email}`, perEmail);
  }

  /** A success shows that it was no guessing: the address has its tries back, and is known as the owner's. */
  async succeeded({ address, email, of }: Required<Try>): Promise<void> {
    const place = addressKey(address);
    await this.database.query(`DELETE FROM login_tries WHERE who = $1`, [hashOf(`${of} of ${email} from ${place}`)]);
    await this.database.query(`UPDATE login_tries SET count = count - 1 WHERE who = $1 AND count > 0`, [
      hashOf(`address ${place}`),
    ]);
    await this.database.query(
      `INSERT INTO login_places (who) VALUES ($1) ON CONFLICT (who) DO UPDATE SET seen_at = now()`,
      [hashOf(`${email} at ${place}`)],
    );
  }

  private async isKnown(place: string, email: string): Promise<boolean> {
    const rows = await this.database.query(
      `SELECT 1 FROM login_places WHERE who = $1 AND seen_at > now() - $2::interval`,
      [hashOf(`${email} at ${place}`), PLACE_KEPT_FOR],
    );
    return rows.length > 0;
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
    await this.database.query(
      `DELETE FROM login_places WHERE who IN (
         SELECT who FROM login_places WHERE seen_at < now() - $1::interval LIMIT 10000)`,
      [PLACE_KEPT_FOR],
    );
  }
}

const hashOf = (who: string) => createHash('sha256').update(who).digest('base64url');
