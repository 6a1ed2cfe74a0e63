import { type AdminAccount, RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { hash } from '@node-rs/argon2';
import { ApiKeys } from '../api-keys.js';

const ACCOUNT = `SELECT a.id AS "accountId", a.name, a.agents_enabled AS "agentsEnabled", a.created_at AS "createdAt",
    coalesce((SELECT json_agg(u.email ORDER BY u.email) FROM users u WHERE u.account_id = a.id), '[]') AS emails,
    (SELECT count(*)::int FROM api_keys k WHERE k.account_id = a.id AND k.revoked_at IS NULL) AS "keyCount"
  FROM accounts a`;

/** What an operator does to accounts. */
@Injectable()
export class AccountAdmin {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
  ) {}

  /** Errors: ALREADY_EXISTS. */
  async create(email: string, password: string, agentsEnabled: boolean): Promise<AdminAccount> {
    const passwordHash = await hash(password);
    const accountId = await this.database.transaction(async (tx) => {
      const id = newId();
      await tx.query(`INSERT INTO accounts (id, name, agents_enabled) VALUES ($1::uuid, $1::text, $2)`, [
        id,
        agentsEnabled,
      ]);
      const made = await tx.query(
        `INSERT INTO users (id, account_id, email, password_hash, verified_at) VALUES ($1, $2, $3, $4, now())
         ON CONFLICT (email) DO NOTHING RETURNING id`,
        [newId(), id, email, passwordHash],
      );
      if (made.length === 0) throw new RoostError('ALREADY_EXISTS', `there is an account for ${email} already`);
      return id;
    });
    return this.find(accountId);
  }

  /** Errors: NOT_FOUND. */
  async setAgentsEnabled(who: string, enabled: boolean): Promise<AdminAccount> {
    const { accountId } = await this.find(who);
    await this.database.query(`UPDATE accounts SET agents_enabled = $2 WHERE id = $1`, [accountId, enabled]);
    this.keys.forgetEverywhere();
    return this.find(accountId);
  }

  list(page: number, limit: number): Promise<AdminAccount[]> {
    return this.database.query<AdminAccount>(`${ACCOUNT} ORDER BY a.created_at, a.id LIMIT $1 OFFSET $2`, [
      limit,
      (page - 1) * limit,
    ]);
  }

  /** The account of an email, an id or a name. Errors: NOT_FOUND. */
  async find(who: string): Promise<AdminAccount> {
    const [account] = await this.database.query<AdminAccount>(
      `${ACCOUNT} WHERE a.id::text = $1 OR a.name = $1 OR a.id = (SELECT account_id FROM users WHERE email = lower($1))`,
      [who],
    );
    if (!account) throw new RoostError('NOT_FOUND', `there is no account for ${who}`);
    return account;
  }
}
