import { LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { hash } from '@node-rs/argon2';
import { createHash, randomBytes } from 'node:crypto';
import { Mailer } from '../mail/mailer.js';
import { LoginSessions } from './login-sessions.js';

const LIFETIME = '30 minutes';
/** Open at once for a user: who asks anew by mistake, or for somebody else, does not undo the mail before. */
const MAX_OPEN = 5;
const SWEEP_EVERY_MS = 10 * 60_000;

/** New passwords, for who shows a code that was mailed or the password before. Either ends other sign-ins. */
@Injectable()
export class PasswordResets implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly sessions: LoginSessions,
    private readonly mailer: Mailer,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    // A sweep that fails is done by the next one; the rows only take room.
    this.timer = setInterval(() => void this.sweep().catch(() => undefined), SWEEP_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
  }

  /** Mails a code to a known email. Nobody waits for it: the time must not tell whether the email is known. */
  request(email: string): void {
    const work = this.send(email)
      .catch((error: unknown) => this.logger.error({ err: error }, 'a password reset could not be begun'))
      .finally(() => this.underWay.delete(work));
    this.underWay.add(work);
  }

  /** Gives whose password it was. Errors: VALIDATION_ERROR for an unknown, used or old code. */
  async reset(code: string, password: string): Promise<{ email: string }> {
    const tokenHash = hashOf(code);
    const [open] = await this.database.query(`SELECT 1 FROM password_resets WHERE token_hash = $1`, [tokenHash]);
    const passwordHash = open ? await hash(password) : '';
    const user = await this.database.transaction(async (tx) => {
      const [used] = await tx.query<{ user_id: string }>(
        `DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > now() RETURNING user_id`,
        [tokenHash],
      );
      if (!used) return undefined;
      await tx.query(`DELETE FROM password_resets WHERE user_id = $1`, [used.user_id]);
      await this.sessions.endAll(tx, used.user_id);
      const [changed] = await tx.query<{ email: string }>(
        `UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING email`,
        [used.user_id, passwordHash],
      );
      return changed;
    });
    if (!user)
      throw new RoostError('VALIDATION_ERROR', 'code: is wrong, too old or was used; ask for a new one', [
        { field: 'code', reason: 'invalid' },
      ]);
    this.mailer.sendPasswordChanged(user.email);
    return user;
  }

  /** The caller has shown that the account is theirs; their own sign-in goes on. */
  async change(userId: string, sessionId: string | undefined, password: string): Promise<void> {
    const passwordHash = await hash(password);
    const [user] = await this.database.transaction(async (tx) => {
      await tx.query(`DELETE FROM password_resets WHERE user_id = $1`, [userId]);
      await this.sessions.endAll(tx, userId, sessionId);
      return tx.query<{ email: string }>(`UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING email`, [
        userId,
        passwordHash,
      ]);
    });
    if (user) this.mailer.sendPasswordChanged(user.email);
  }

  private async send(email: string): Promise<void> {
    const code = randomBytes(32).toString('base64url');
    const [made] = await this.database.query<{ user_id: string }>(
      `INSERT INTO password_resets (token_hash, user_id, expires_at)
       SELECT $2, id, now() + $3::interval FROM users WHERE email = $1 AND verified_at IS NOT NULL RETURNING user_id`,
      [email, hashOf(code), LIFETIME],
    );
    if (!made) return;
    await this.database.query(
      `DELETE FROM password_resets WHERE token_hash IN (
         SELECT token_hash FROM password_resets WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)`,
      [made.user_id, MAX_OPEN],
    );
    this.mailer.sendResetCode(email, code);
  }

  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM password_resets WHERE token_hash IN (
         SELECT token_hash FROM password_resets WHERE expires_at < now() LIMIT 10000)`,
    );
  }
}

/** 256 bits of chance: a plain hash is enough. */
const hashOf = (code: string) => createHash('sha256').update(code).digest('base64url');
