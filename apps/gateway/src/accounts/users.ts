import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { type GatewayConfig, isRegistrationOpen } from '../config.js';
import { Mailer } from '../mail/mailer.js';

const MAX_CODE_TRIES = 5;
/** Verified against when there is no such user, so that the time tells nothing. */
const NOBODY = hash('nobody has this password');

export interface User {
  id: string;
  accountId: string;
  email: string;
  agentsEnabled: boolean;
  createdAt: Date;
}

interface UserRow extends User {
  /** Null for one who signs in with another provider only. */
  password_hash: string | null;
  is_verified: boolean;
}

/** People who sign in. No answer, and no answer's time, tells whether an email is known. */
@Injectable()
export class Users {
  constructor(
    private readonly database: Database,
    private readonly mailer: Mailer,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** Makes an account of its own for the user and sends a code. A known email is answered alike and changes nothing. */
  async register(email: string, password: string): Promise<void> {
    if (!isRegistrationOpen(this.config)) throw registrationIsClosed();
    const passwordHash = await hash(password);
    const code = newCode();
    const isNew = await this.database.transaction(async (tx) => {
      const accountId = newId();
      await tx.query(`INSERT INTO accounts (id, name) VALUES ($1, $2)`, [accountId, accountId]);
      const made = await tx.query(
        `INSERT INTO users (id, account_id, email, password_hash, code_hash, code_expires_at)
         VALUES ($1, $2, $3, $4, $5, now() + interval '1 hour') ON CONFLICT (email) DO NOTHING RETURNING id`,
        [newId(), accountId, email, passwordHash, codeHash(code)],
      );
      if (made.length === 0) await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
      return made.length > 0;
    });
    if (isNew) this.mailer.sendCode(email, code);
  }

  /** Errors: VALIDATION_ERROR for a wrong or old code, and for an unknown email alike. */
  async confirm(email: string, code: string): Promise<void> {
    const [row] = await this.database.query<{ id: string; code_hash: string }>(
      `UPDATE users SET code_tries = code_tries + 1
        WHERE email = $1 AND code_hash IS NOT NULL AND code_expires_at > now() AND code_tries < $2
        RETURNING id, code_hash`,
      [email, MAX_CODE_TRIES],
    );
    if (!row || !timingSafeEqual(Buffer.from(row.code_hash), Buffer.from(codeHash(code))))
      throw new RoostError('VALIDATION_ERROR', 'code: is wrong or too old; ask for a new one', [
        { field: 'code', reason: 'invalid' },
      ]);
    await this.database.query(`UPDATE users SET verified_at = now(), code_hash = NULL WHERE id = $1`, [row.id]);
  }

  async resend(email: string): Promise<void> {
    const code = newCode();
    const changed = await this.database.query(
      `UPDATE users SET code_hash = $2, code_expires_at = now() + interval '1 hour', code_tries = 0
        WHERE email = $1 AND verified_at IS NULL RETURNING id`,
      [email, codeHash(code)],
    );
    if (changed.length > 0) this.mailer.sendCode(email, code);
  }

  /** Errors: UNAUTHORIZED, the same for an unknown email, a wrong password and an email not verified. */
  async login(email: string, password: string): Promise<User> {
    const [row] = await this.database.query<UserRow>(
      `SELECT u.id, u.account_id AS "accountId", u.email, u.password_hash, u.created_at AS "createdAt",
              u.verified_at IS NOT NULL AS is_verified, a.agents_enabled AS "agentsEnabled"
         FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.email = $1`,
      [email],
    );
    const isRight = await verify(row?.password_hash ?? (await NOBODY), password);
    if (!row || !isRight || !row.is_verified)
      throw new RoostError('UNAUTHORIZED', 'email or password is wrong, or the email is not verified yet');
    return row;
  }

  async find(userId: string): Promise<User | undefined> {
    const [row] = await this.database.query<User>(
      `SELECT u.id, u.account_id AS "accountId", u.email, u.created_at AS "createdAt", a.agents_enabled AS "agentsEnabled"
         FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.id = $1`,
      [userId],
    );
    return row;
  }
}

export const registrationIsClosed = () =>
  new RoostError('ACCESS_DENIED', 'registration is closed here: ask the operator for an account');

const newCode = () => String(randomInt(1_000_000)).padStart(6, '0');
const codeHash = (code: string) => createHash('sha256').update(code).digest('hex');
