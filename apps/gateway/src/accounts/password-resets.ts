import { recordAudit } from '#lib/audit';
import { LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { hash } from '@node-rs/argon2';
import { createHash, randomBytes } from 'node:crypto';
import { Mailer } from '../mail/mailer.js';
import { LoginSessions } from './login-sessions.js';
import { confirmOwner, type Owner } from './owner-check.js';
import { addReset, findResetUser, forgetResetsOf, sweepResets, takeReset } from './password-resets.repository.js';
import { lockUser, setPassword } from './users.repository.js';

/** New passwords, for who shows a code that was mailed or the password before. Either ends other sign-ins. */
@Injectable()
export class PasswordResets implements OnApplicationShutdown {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly sessions: LoginSessions,
    private readonly mailer: Mailer,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Sweep('gateway.password-resets', EVERY_TEN_MINUTES)
  sweep(): Promise<void> {
    return sweepResets(this.database);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /** Mails a code to a known email. Nobody waits for it: the time must not reveal whether the email is known. */
  request(email: string): void {
    const work = this.send(email)
      .catch((error: unknown) => this.logger.error({ err: error }, 'a password reset could not be begun'))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  /** Gives whose password it was. Errors: VALIDATION_ERROR for an unknown, used or old code. */
  async reset(code: string, password: string): Promise<{ email: string }> {
    const tokenHash = hashOf(code);
    const userId = await findResetUser(this.database, tokenHash);
    const passwordHash = userId === undefined ? '' : await hash(password);
    const user = await this.database.transaction(async (tx) => {
      // Locked before the code is taken: of two codes of one user at once, each would wait to take the other's.
      if (userId === undefined || !(await lockUser(tx, userId)) || !(await takeReset(tx, tokenHash))) return undefined;
      await forgetResetsOf(tx, userId);
      await this.sessions.endAll(tx, userId);
      return this.set(tx, 'user.password_reset', userId, passwordHash);
    });
    if (!user)
      throw new RoostError('VALIDATION_ERROR', 'code: is wrong, too old or was used; ask for a new one', [
        { field: 'code', reason: 'invalid' },
      ]);
    this.mailer.sendPasswordChanged(user.email);
    return user;
  }

  /** Their own sign-in goes on. Errors: ACCESS_DENIED, UNAUTHORIZED where what the owner showed has ended since. */
  async change(owner: Owner, password: string): Promise<void> {
    const { id: userId } = owner.user;
    const passwordHash = await hash(password);
    const user = await this.database.transaction(async (tx) => {
      await confirmOwner(tx, owner);
      await forgetResetsOf(tx, userId);
      await this.sessions.endAll(tx, userId, owner.sessionId);
      return this.set(tx, 'user.password_changed', userId, passwordHash);
    });
    if (user) this.mailer.sendPasswordChanged(user.email);
  }

  private async set(tx: Transaction, action: string, userId: string, passwordHash: string) {
    const user = await setPassword(tx, userId, passwordHash);
    const actor = { type: 'user', id: userId } as const;
    if (user) await recordAudit(tx, { action, target: actor, actor, accountId: user.accountId });
    return user;
  }

  private async send(email: string): Promise<void> {
    const code = randomBytes(32).toString('base64url');
    if (await addReset(this.database, email, hashOf(code))) this.mailer.sendResetCode(email, code);
  }
}

/** 256 bits of chance: a plain hash is enough. */
const hashOf = (code: string) => createHash('sha256').update(code).digest('base64url');
