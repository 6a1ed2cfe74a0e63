import type { Database, Queries, Transaction } from '#lib/database';

/** A refresh that is repeated with its Idempotency-Key within this time gets an answer again: the first was lost. */
const RETRY_WITHIN = '2 minutes';

/** One refresh token of a sign-in. */
export interface Generation {
  id: string;
  userId: string;
  generation: number;
}

export async function addSession(tx: Transaction, id: string, userId: string, lifetimeSeconds: number): Promise<void> {
  await tx.query(
    `INSERT INTO login_sessions (id, user_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))`,
    [id, userId, lifetimeSeconds],
  );
}

/** Ends those that were unused for longest; true when there were any. */
export async function endSessionsBeyond(tx: Transaction, userId: string, max: number): Promise<boolean> {
  const ended = await tx.query(
    `UPDATE login_sessions SET revoked_at = now() WHERE revoked_at IS NULL AND id IN (
       SELECT id FROM login_sessions WHERE user_id = $1 AND revoked_at IS NULL
       ORDER BY rotated_at DESC, id DESC OFFSET $2) RETURNING id`,
    [userId, max],
  );
  return ended.length > 0;
}

/** Adds the sign-in of a token that names none, unless the user's tokens of that time were refused since. */
export async function addSessionOf(
  database: Database,
  { id, userId, issuedAt }: { id: string; userId: string; issuedAt: Date },
  lifetimeSeconds: number,
): Promise<void> {
  await database.query(
    `INSERT INTO login_sessions (id, user_id, expires_at)
     SELECT $1, id, now() + make_interval(secs => $4) FROM users WHERE id = $2 AND tokens_valid_after < $3
       FOR SHARE
     ON CONFLICT DO NOTHING`,
    [id, userId, issuedAt, lifetimeSeconds],
  );
}

/** The next generation of a sign-in, if this one is its newest; undefined if it is not, or the sign-in has ended. */
export async function nextGeneration(
  database: Database,
  { id, userId, generation }: Generation,
  keyHash: string | null,
  lifetimeSeconds: number,
): Promise<number | undefined> {
  const [next] = await database.query<{ generation: number }>(
    `UPDATE login_sessions SET generation = generation + 1, rotated_at = now(), retry_key_hash = $4,
            expires_at = now() + make_interval(secs => $5)
      WHERE id = $1 AND user_id = $2 AND generation = $3 AND revoked_at IS NULL AND expires_at > now()
      RETURNING generation`,
    [id, userId, generation, keyHash, lifetimeSeconds],
  );
  return next?.generation;
}

/** The generation that came of this one by a request with the same key, a moment ago. */
export async function repeatedGeneration(
  database: Database,
  { id, userId, generation }: Generation,
  keyHash: string,
): Promise<number | undefined> {
  const [row] = await database.query<{ generation: number }>(
    `SELECT generation FROM login_sessions WHERE id = $1 AND user_id = $2 AND generation = $3 AND retry_key_hash = $4
        AND revoked_at IS NULL AND rotated_at > now() - $5::interval`,
    [id, userId, generation + 1, keyHash, RETRY_WITHIN],
  );
  return row?.generation;
}

export async function isSessionValid(db: Queries, id: string, userId: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM login_sessions WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > now()`,
    [userId, id],
  );
  return rows.length > 0;
}

/** Of a token that names no sign-in. */
export async function isIssuedSinceRefusal(database: Database, userId: string, issuedAt: Date): Promise<boolean> {
  const rows = await database.query(`SELECT 1 FROM users WHERE id = $1 AND tokens_valid_after < $2`, [
    userId,
    issuedAt,
  ]);
  return rows.length > 0;
}

export async function isSessionFresh(
  database: Database,
  id: string | undefined,
  { userId, minutes }: { userId: string; minutes: number },
): Promise<boolean> {
  const rows = await database.query(
    `SELECT 1 FROM login_sessions WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL
        AND created_at > now() - make_interval(mins => $3)`,
    [userId, id ?? null, minutes],
  );
  return rows.length > 0;
}

/** False when it had ended before. */
export async function endSession(
  tx: Transaction,
  id: string,
  userId: string,
): Promise<{ accountId: string } | undefined> {
  const [ended] = await tx.query<{ accountId: string }>(
    `UPDATE login_sessions s SET revoked_at = now() FROM users u
     WHERE s.id = $1 AND s.user_id = $2 AND s.revoked_at IS NULL AND u.id = s.user_id RETURNING u.account_id AS "accountId"`,
    [id, userId],
  );
  return ended;
}

/** With the tokens that name no sign-in. The user is locked: a sign-in that is stored at the same time would go on. */
export async function endSessionsOf(tx: Transaction, userId: string, exceptId?: string): Promise<void> {
  await tx.query(
    `UPDATE login_sessions SET revoked_at = now()
      WHERE user_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id <> $2)`,
    [userId, exceptId ?? null],
  );
  await tx.query(`UPDATE users SET tokens_valid_after = now() WHERE id = $1`, [userId]);
}

export async function sweepSessions(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM login_sessions WHERE id IN (SELECT id FROM login_sessions WHERE expires_at < now() LIMIT 10000)`,
  );
}
