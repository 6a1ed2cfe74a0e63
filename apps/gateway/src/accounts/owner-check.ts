import { RoostError } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { verify } from '@node-rs/argon2';
import type { Identity } from './identity.js';
import { LoginLimits } from './login-limits.js';
import { isSessionValid } from './login-sessions.repository.js';
import { LoginSessions } from './login-sessions.js';
import { lockUser, type User } from './users.repository.js';
import { Users } from './users.js';

/** Who has no password shows who they are by having just signed in with their provider. */
const FRESH_MINUTES = 10;

/** Who has shown that the account is theirs, and by what. */
export interface Owner {
  user: User;
  /** That the password was compared with; null for who has none. */
  passwordHash: string | null;
  sessionId: string | undefined;
  /** In which the password came. */
  field: string;
}

/** Has the owner show who they are before what cannot be undone: a token alone may be somebody else's by now. */
@Injectable()
export class OwnerCheck {
  constructor(
    private readonly users: Users,
    private readonly sessions: LoginSessions,
    private readonly limits: LoginLimits,
  ) {}

  /**
   * What is done by it compares again, with `confirmOwner`.
   * Errors: ACCESS_DENIED (an API key; a wrong or missing password; none, and the sign-in is old), RATE_LIMITED.
   */
  async require(
    { userId, sessionId }: Identity,
    address: string,
    { field, password }: { field: string; password: string | undefined },
  ): Promise<Owner> {
    const user = userId === undefined ? undefined : await this.users.find(userId);
    if (!user) throw new RoostError('ACCESS_DENIED', 'an API key cannot do this: sign in, and send the token');
    const attempt = { address, email: user.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const { passwordHash } = user;
    if (passwordHash !== null) {
      if (password === undefined || !(await verify(passwordHash, password))) throw wrongPassword(field);
      await this.limits.succeeded(attempt);
    } else if (!(await this.sessions.isFresh(user.id, sessionId, FRESH_MINUTES)))
      throw new RoostError(
        'ACCESS_DENIED',
        `the account has no password: sign in again, and do this within ${FRESH_MINUTES} minutes`,
      );
    return { user, passwordHash, sessionId, field };
  }
}

/**
 * Begins the transaction that does what the owner asked for: what they showed still counts, and no other replaces the
 * password or ends the sign-in until it ends. A thief's request may have been under way while the owner did that.
 * Errors: ACCESS_DENIED (the password was replaced), UNAUTHORIZED (the sign-in has ended).
 */
export async function confirmOwner(tx: Transaction, { user, passwordHash, sessionId, field }: Owner): Promise<void> {
  const current = await lockUser(tx, user.id);
  if (current?.passwordHash !== passwordHash) throw wrongPassword(field);
  if (sessionId !== undefined && !(await isSessionValid(tx, sessionId, user.id)))
    throw new RoostError('UNAUTHORIZED', 'the sign-in has ended: sign in again');
}

const wrongPassword = (field: string) =>
  new RoostError('ACCESS_DENIED', `${field}: is not the account's password`, [{ field, reason: 'wrong' }]);
