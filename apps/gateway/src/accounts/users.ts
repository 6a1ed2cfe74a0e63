import { recordAudit } from '#lib/audit';
import { RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { findUser, findVerifiedUser, type User, type UserWithPassword } from './users.repository.js';

/** Verified against when there is no such user, so that the time reveals nothing. */
export const NOBODY = hash('nobody has this password');

/** Who has shown who they are. */
export interface SignedIn {
  user: User;
  /** That their password was compared with; undefined for who came from a provider. */
  passwordHash: string | undefined;
}

/** People whose email is verified. No answer, and no answer's time, reveals whether an email is known. */
@Injectable()
export class Users {
  constructor(private readonly database: Database) {}

  /**
   * The password may be replaced by the time this returns: whoever begins a sign-in by it compares its hash again.
   * Errors: UNAUTHORIZED, the same for an unknown email, a wrong password and an email not verified.
   */
  async login(email: string, password: string, address: string): Promise<SignedIn> {
    const user = await findVerifiedUser(this.database, email);
    const isRight = await verify(user?.passwordHash ?? (await NOBODY), password);
    if (!user?.passwordHash || !isRight) {
      // Also of an email that nobody has: the time must not tell.
      await this.database.transaction((tx) => recordRefusedSignIn(tx, user, address));
      throw wrongCredentials();
    }
    return { user, passwordHash: user.passwordHash };
  }

  find(userId: string): Promise<UserWithPassword | undefined> {
    return findUser(this.database, userId);
  }
}

export const wrongCredentials = () =>
  new RoostError('UNAUTHORIZED', 'email or password is wrong, or the email is not verified yet');

function recordRefusedSignIn(tx: Transaction, user: User | undefined, address: string): Promise<void> {
  return recordAudit(tx, {
    action: 'user.sign_in_refused',
    target: { type: 'user', id: user?.id ?? 'unknown' },
    accountId: user?.accountId ?? null,
    actor: { type: 'person', id: `address:${address}` },
  });
}
