import { RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { Identity } from './identity.js';
import { LoginLimits } from './login-limits.js';
import { LoginSessions } from './login-sessions.js';
import type { User } from './users.repository.js';
import { Users } from './users.js';

/** Who has no password shows who they are by having just signed in with their provider. */
const FRESH_MINUTES = 10;

/** Has the owner show who they are before what cannot be undone: a token alone may be somebody else's by now. */
@Injectable()
export class OwnerCheck {
  constructor(
    private readonly users: Users,
    private readonly sessions: LoginSessions,
    private readonly limits: LoginLimits,
  ) {}

  /** Errors: ACCESS_DENIED (an API key; a wrong or missing password; none, and the sign-in is old), RATE_LIMITED. */
  async require(
    { userId, sessionId }: Identity,
    address: string,
    { field, password }: { field: string; password: string | undefined },
  ): Promise<User> {
    const user = userId === undefined ? undefined : await this.users.find(userId);
    if (!user) throw new RoostError('ACCESS_DENIED', 'an API key cannot do this: sign in, and send the token');
    const attempt = { address, email: user.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const isRight = password === undefined ? undefined : await this.users.isPassword(user.id, password);
    if (isRight) await this.limits.succeeded(attempt);
    else if (isRight === false || (await this.users.hasPassword(user.id)))
      throw new RoostError('ACCESS_DENIED', `${field}: is not the account's password`, [{ field, reason: 'wrong' }]);
    else if (!(await this.sessions.isFresh(user.id, sessionId, FRESH_MINUTES)))
      throw new RoostError(
        'ACCESS_DENIED',
        `the account has no password: sign in again, and do this within ${FRESH_MINUTES} minutes`,
      );
    return user;
  }
}
