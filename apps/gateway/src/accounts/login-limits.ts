import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { addressKey } from '../limits/address-key.js';
import {
  countTry,
  forgetTries,
  giveBackTry,
  isNetworkKnown,
  rememberNetwork,
  sweepTries,
} from './login-limits.repository.js';

/**
 * Tries in a window of 15 minutes. One address may try little for one email, and the email has far more over all addresses: a
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
export class LoginLimits {
  constructor(private readonly database: Database) {}

  @Sweep('gateway.login-tries', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepTries(this.database);
  }

  /** Counts a try before it is made. Errors: RATE_LIMITED. */
  async admit({ address, email, of }: Try): Promise<void> {
    const network = addressKey(address);
    await this.count(`address ${network}`, MAX_PER_ADDRESS);
    if (email === undefined) return;
    const { perPair, perEmail } = MAX_TRIES[of];
    await this.count(`${of} of ${email} from ${network}`, perPair);
    if (!(await this.isKnown(network, email))) await this.count(`${of} of ${email}`, perEmail);
  }

  /** A success shows that it was no guessing: the address has its tries back, and is known as the owner's. */
  async succeeded({ address, email, of }: Required<Try>): Promise<void> {
    const network = addressKey(address);
    await forgetTries(this.database, hashOf(`${of} of ${email} from ${network}`));
    await giveBackTry(this.database, hashOf(`address ${network}`));
    await rememberNetwork(this.database, hashOf(`${email} at ${network}`));
  }

  private isKnown(network: string, email: string): Promise<boolean> {
    return isNetworkKnown(this.database, hashOf(`${email} at ${network}`));
  }

  private async count(who: string, max: number): Promise<void> {
    const { count, seconds } = await countTry(this.database, hashOf(who));
    if (count > max)
      throw new RoostError('RATE_LIMITED', 'too many tries; wait before the next', [], Math.max(1, seconds));
  }
}

const hashOf = (who: string) => createHash('sha256').update(who).digest('base64url');
