import { newId, type Queries, type Transaction } from '#lib/database';

export interface User {
  id: string;
  accountId: string;
  email: string;
  agentsEnabled: boolean;
  isOperator: boolean;
  createdAt: Date;
}

export interface UserWithPassword extends User {
  /** Null for one who signs in elsewhere only. */
  passwordHash: string | null;
}

const USER = `SELECT u.id, u.account_id AS "accountId", u.email, u.created_at AS "createdAt",
    a.agents_enabled AS "agentsEnabled", a.is_operator AS "isOperator", u.password_hash AS "passwordHash"
  FROM users u JOIN accounts a ON a.id = u.account_id`;

export async function findUser(db: Queries, id: string): Promise<UserWithPassword | undefined> {
  const [user] = await db.query<UserWithPassword>(`${USER} WHERE u.id = $1`, [id]);
  return user;
}

export async function findVerifiedUser(db: Queries, email: string): Promise<UserWithPassword | undefined> {
  const [user] = await db.query<UserWithPassword>(`${USER} WHERE u.email = $1 AND u.verified_at IS NOT NULL`, [email]);
  return user;
}

/** The user whom a provider's or issuer's subject was linked to. */
export async function findLinkedUser(db: Queries, provider: string, subject: string): Promise<User | undefined> {
  const [user] = await db.query<User>(
    `${USER} JOIN user_identities i ON i.user_id = u.id WHERE i.provider = $1 AND i.subject = $2`,
    [provider, subject],
  );
  return user;
}

/** The same, if they did not sign out everywhere, or get another password, since the time. */
export async function findLinkedUserSince(
  db: Queries,
  provider: string,
  { subject, issuedAt }: { subject: string; issuedAt: Date },
): Promise<(User & { isValid: boolean }) | undefined> {
  const [user] = await db.query<User & { isValid: boolean }>(
    `${USER.replace('u.password_hash AS "passwordHash"', 'u.tokens_valid_after < $3 AS "isValid"')}
       JOIN user_identities i ON i.user_id = u.id WHERE i.provider = $1 AND i.subject = $2`,
    [provider, subject, issuedAt],
  );
  return user;
}

/** False where the subject is linked already. */
export async function linkSubject(
  tx: Transaction,
  provider: string,
  subject: string,
  userId: string,
): Promise<boolean> {
  const linked = await tx.query(
    `INSERT INTO user_identities (provider, subject, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1`,
    [provider, subject, userId],
  );
  return linked.length > 0;
}

/** Registration, verification and signing in elsewhere change one email's users one after the other. */
export async function lockEmail(tx: Transaction, email: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('email ' || $1, 0))`, [email]);
}

/**
 * The id of the user who has the email, which is verified from now on. One who never verified it may be somebody else who
 * registered it in advance: the password they chose is forgotten.
 */
export async function verifyEmail(tx: Transaction, email: string): Promise<string | undefined> {
  const [user] = await tx.query<{ id: string }>(
    `UPDATE users SET password_hash = CASE WHEN verified_at IS NULL THEN NULL ELSE password_hash END,
       verified_at = coalesce(verified_at, now()), code_hash = NULL
     WHERE email = $1 RETURNING id`,
    [email],
  );
  return user?.id;
}

/** A new user with an account of their own and no password. Of two at once the second gets what the first made. */
export async function addUser(tx: Transaction, email: string, agentsEnabled: boolean): Promise<string> {
  const accountId = newId();
  await tx.query(`INSERT INTO accounts (id, name, agents_enabled) VALUES ($1::uuid, $1::text, $2)`, [
    accountId,
    agentsEnabled,
  ]);
  const [user] = await tx.query<{ id: string; account_id: string }>(
    `INSERT INTO users (id, account_id, email, verified_at) VALUES ($1, $2, $3, now())
     ON CONFLICT (email) DO UPDATE SET verified_at = coalesce(users.verified_at, now()),
       password_hash = CASE WHEN users.verified_at IS NULL THEN NULL ELSE users.password_hash END
     RETURNING id, account_id`,
    [newId(), accountId, email],
  );
  if (!user) throw new Error('the new user was not stored');
  if (user.account_id !== accountId) await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
  return user.id;
}

/**
 * Makes a registration's user, with an account of their own. Undefined when somebody was let in with this email meanwhile; a
 * user of the versions before who never verified it is replaced.
 */
export async function addRegisteredUser(
  tx: Transaction,
  email: string,
  passwordHash: string,
): Promise<{ id: string; accountId: string } | undefined> {
  const accountId = newId();
  await tx.query(`INSERT INTO accounts (id, name) VALUES ($1::uuid, $1::text)`, [accountId]);
  const [user] = await tx.query<{ id: string; account_id: string }>(
    `INSERT INTO users (id, account_id, email, password_hash, verified_at) VALUES ($1, $2, $3, $4, now())
     ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, verified_at = now(), code_hash = NULL
       WHERE users.verified_at IS NULL
     RETURNING id, account_id`,
    [newId(), accountId, email, passwordHash],
  );
  if (user?.account_id !== accountId) await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
  return user && { id: user.id, accountId: user.account_id };
}

/**
 * Whether the user is still there, and still has the password whose hash was compared, where one was. Both stay so until
 * the transaction ends: `lockUser` waits for it, so that who ends the user's sign-ins ends those that it stores, too.
 */
export async function holdUser(tx: Transaction, id: string, passwordHash: string | undefined): Promise<boolean> {
  const held = await tx.query(
    `SELECT 1 FROM users WHERE id = $1 AND ($2::text IS NULL OR password_hash = $2) FOR SHARE`,
    [id, passwordHash ?? null],
  );
  return held.length > 0;
}

/**
 * Before a user's password is replaced or their sign-ins end: waits for sign-ins, keys and reset codes that are being
 * stored. Only a statement that begins after it sees them. Undefined for a user who is gone.
 */
export async function lockUser(tx: Transaction, id: string): Promise<{ passwordHash: string | null } | undefined> {
  const [user] = await tx.query<{ passwordHash: string | null }>(
    `SELECT password_hash AS "passwordHash" FROM users WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return user;
}

/** Of a user who is locked. */
export async function setPassword(tx: Transaction, userId: string, passwordHash: string) {
  const [user] = await tx.query<{ email: string; accountId: string }>(
    `UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING email, account_id AS "accountId"`,
    [userId, passwordHash],
  );
  return user;
}
