import type { AdminAccount } from '#lib/contracts';
import { type Database, newId, type Transaction } from '#lib/database';

const ACCOUNT = `SELECT a.id AS "accountId", a.name, a.agents_enabled AS "agentsEnabled", a.is_operator AS "isOperator", a.created_at AS "createdAt",
    coalesce((SELECT json_agg(u.email ORDER BY u.email) FROM users u WHERE u.account_id = a.id), '[]') AS emails,
    (SELECT count(*)::int FROM api_keys k WHERE k.account_id = a.id AND k.revoked_at IS NULL) AS "keyCount"
  FROM accounts a`;

/** The account of an email, an id or a name. */
export async function findAccount(database: Database, who: string): Promise<AdminAccount | undefined> {
  const [account] = await database.query<AdminAccount>(
    `${ACCOUNT} WHERE a.id::text = $1 OR a.name = $1 OR a.id = (SELECT account_id FROM users WHERE email = lower($1))`,
    [who],
  );
  return account;
}

export interface AccountsPage {
  page: number;
  limit: number;
  /** In the name or an email. */
  search?: string | undefined;
}

const MATCHES = `($1::text IS NULL OR position(lower($1) in lower(a.name)) > 0
    OR EXISTS (SELECT 1 FROM users u WHERE u.account_id = a.id AND position(lower($1) in u.email) > 0))`;

/** Oldest first. */
export function listAccounts(database: Database, { page, limit, search }: AccountsPage): Promise<AdminAccount[]> {
  return database.query<AdminAccount>(`${ACCOUNT} WHERE ${MATCHES} ORDER BY a.created_at, a.id LIMIT $2 OFFSET $3`, [
    search ?? null,
    limit,
    (page - 1) * limit,
  ]);
}

export async function countAccounts(database: Database, search: string | undefined): Promise<number> {
  const [row] = await database.query<{ total: number }>(
    `SELECT count(*)::int AS total FROM accounts a WHERE ${MATCHES}`,
    [search ?? null],
  );
  return row?.total ?? 0;
}

/** An account with a user whose email counts as verified. Its id; undefined when the email is somebody's. */
export async function addAccount(
  tx: Transaction,
  { email, passwordHash, agentsEnabled }: { email: string; passwordHash: string; agentsEnabled: boolean },
): Promise<string | undefined> {
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
  return made.length > 0 ? id : undefined;
}

export async function setAgentsEnabled(tx: Transaction, accountId: string, enabled: boolean): Promise<void> {
  await tx.query(`UPDATE accounts SET agents_enabled = $2 WHERE id = $1`, [accountId, enabled]);
}

export async function setOperator(tx: Transaction, accountId: string, isOperator: boolean): Promise<void> {
  await tx.query(`UPDATE accounts SET is_operator = $2 WHERE id = $1`, [accountId, isOperator]);
}

/** Whether it is there. None of its keys is made until the transaction ends. */
export async function lockAccount(tx: Transaction, accountId: string): Promise<boolean> {
  const found = await tx.query(`SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE`, [accountId]);
  return found.length > 0;
}

/** Removes an account with all that this service keeps of it; returns the emails of its users. */
export async function removeAccount(tx: Transaction, accountId: string): Promise<string[]> {
  const users = await tx.query<{ email: string }>(`DELETE FROM users WHERE account_id = $1 RETURNING email`, [
    accountId,
  ]);
  const emails = users.map(({ email }) => email);
  await tx.query(`DELETE FROM registrations WHERE email = ANY($1)`, [emails]);
  await tx.query(`DELETE FROM api_keys WHERE account_id = $1`, [accountId]);
  await tx.query(`DELETE FROM rate_counts WHERE account_id = $1`, [accountId]);
  // Answers kept for its Idempotency-Keys.
  await tx.query(`DELETE FROM idempotency WHERE scope = $1`, [accountId]);
  await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
  return emails;
}
