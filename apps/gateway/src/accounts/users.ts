import { recordAudit } from '#lib/audit';
import { RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { findUser, findVerifiedUser, type User } from './users.repository.js';

/** Verified against when there is no such user, so that the time reveals nothing. */
export const NOBODY = hash('nobody has this password');

/** People whose email is verified. No answer, and no answer's time, reveals whether an email is known. */
@Injectable()
export class Users {
  constructor(private readonly database: Database) {}

  /** Errors: UNAUTHORIZED, the same for an unknown email, a wrong password and an email not verified. */
  async login(email: string, password: string, address: string): Promise<User> {
    const user = await findVerifiedUser(this.database, email);
    const isRight = await verify(user?.passwordHash ?? (await NOBODY), password);
    if (!user?.passwordHash || !isRight) {
      // Also of an email that nobody has: the time must not tell.
      await this.database.transaction((tx) => recordRefusedSignIn(tx, user, address));
      throw new RoostError('UNAUTHORIZED', 'email or password is wrong, or the email is not verified yet');
    }
    return user;
  }

  find(userId: string): Promise<User | undefined> {
    return findUser(this.database, userId);
  }

  /** Whether it is the user's password; undefined for one who has none. */
  async isPassword(userId: string, password: string): Promise<boolean | undefined> {
    const user = await findUser(this.database, userId);
    return user?.passwordHash ? verify(user.passwordHash, password) : undefined;
  }

  async hasPassword(userId: string): Promise<boolean> {
    const user = await findUser(this.database, userId);
    return typeof user?.passwordHash === 'string';
  }
}

function recordRefusedSignIn(tx: Transaction, user: User | undefined, address: string): Promise<void> {
  return recordAudit(tx, {
    action: 'user.sign_in_refused',
    target: { type: 'user', id: user?.id ?? 'unknown' },
    accountId: user?.accountId ?? null,
    actor: { type: 'person', id: `address:${address}` },
  });
}
