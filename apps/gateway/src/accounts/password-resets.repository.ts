import type { Database, Transaction } from '#lib/database';

const LIFETIME = '30 minutes';
/** Open at once for a user: who asks anew by mistake, or for somebody else, does not undo the mail before. */
const MAX_OPEN = 5;

/** Opens a reset for a verified email; false where there is none. The oldest beyond `MAX_OPEN` go. */
export async function addReset(database: Database, email: string, tokenHash: string): Promise<boolean> {
  const [made] = await database.query<{ user_id: string }>(
    `INSERT INTO password_resets (token_hash, user_id, expires_at)
     SELECT $2, id, now() + $3::interval FROM users WHERE email = $1 AND verified_at IS NOT NULL RETURNING user_id`,
    [email, tokenHash, LIFETIME],
  );
  if (!made) return false;
  await database.query(
    `DELETE FROM password_resets WHERE token_hash IN (
       SELECT token_hash FROM password_resets WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2)`,
    [made.user_id, MAX_OPEN],
  );
  return true;
}

/** Whose it is; undefined for one that is unknown or used. */
export async function findResetUser(database: Database, tokenHash: string): Promise<string | undefined> {
  const [reset] = await database.query<{ user_id: string }>(
    `SELECT user_id FROM password_resets WHERE token_hash = $1`,
    [tokenHash],
  );
  return reset?.user_id;
}

/** True once; false for one that is unknown, used or too old. */
export async function takeReset(tx: Transaction, tokenHash: string): Promise<boolean> {
  const used = await tx.query(
    `DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > now() RETURNING user_id`,
    [tokenHash],
  );
  return used.length > 0;
}

export async function forgetResetsOf(tx: Transaction, userId: string): Promise<void> {
  await tx.query(`DELETE FROM password_resets WHERE user_id = $1`, [userId]);
}

export async function sweepResets(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM password_resets WHERE token_hash IN (
       SELECT token_hash FROM password_resets WHERE expires_at < now() LIMIT 10000)`,
  );
}
