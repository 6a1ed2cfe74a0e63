import { RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';

/** Verified against when there is no such user, so that the time tells nothing. */
export const NOBODY = hash('nobody has this password');

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
}

const USER = `SELECT u.id, u.account_id AS "accountId", u.email, u.created_at AS "createdAt",
    a.agents_enabled AS "agentsEnabled", u.password_hash
  FROM users u JOIN accounts a ON a.id = u.account_id`;

/** People whose email is verified. No answer, and no answer's time, tells whether an email is known. */
@Injectable()
export class Users {
  constructor(private readonly database: Database) {}

  /** Errors: UNAUTHORIZED, the same for an unknown email, a wrong password and an email not verified. */
  async login(email: string, password: string): Promise<User> {
    const [row] = await this.database.query<UserRow>(`${USER} WHERE u.email = $1 AND u.verified_at IS NOT NULL`, [
      email,
    ]);
    const isRight = await verify(row?.password_hash ?? (await NOBODY), password);
    if (!row?.password_hash || !isRight)
      throw new RoostError('UNAUTHORIZED', 'email or password is wrong, or the email is not verified yet');
    return row;
  }

  async find(userId: string): Promise<User | undefined> {
    const [row] = await this.database.query<UserRow>(`${USER} WHERE u.id = $1`, [userId]);
    return row;
  }

  /** Whether it is the user's password; undefined for one who has none. */
  async isPassword(userId: string, password: string): Promise<boolean | undefined> {
    const [row] = await this.database.query<UserRow>(`${USER} WHERE u.id = $1`, [userId]);
    return row?.password_hash ? verify(row.password_hash, password) : undefined;
  }

  async hasPassword(userId: string): Promise<boolean> {
    const [row] = await this.database.query<UserRow>(`${USER} WHERE u.id = $1`, [userId]);
    return typeof row?.password_hash === 'string';
  }
}

/** Registration, verification and signing in with a provider change one email's users one after the other. */
export async function lockEmail(tx: Transaction, email: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('email ' || $1, 0))`, [email]);
}

export const registrationIsClosed = () =>
  new RoostError('ACCESS_DENIED', 'registration is closed here: ask the operator for an account');
