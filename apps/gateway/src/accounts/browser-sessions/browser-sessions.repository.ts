import type { Database, Transaction } from '#lib/database';

/** What a session was begun by, and ends with. */
export type SessionOrigin = { keyHash: string } | { loginSessionId: string };

export interface FoundSession {
  accountId: string;
  agentsEnabled: boolean;
  isOperator: boolean;
  userId: string | null;
  loginSessionId: string | null;
  /** Of the API key that it began with. */
  keyId: string | null;
  /** Which of the session's secrets was shown; `used` is the one before, too late; `unknown` is none of them. */
  shown: 'current' | 'next' | 'previous' | 'used' | 'unknown';
  /** It is time for a new secret. */
  isDue: boolean;
}

/** A session is as good as what it was begun by. */
export const VALID_SESSION = `b.revoked_at IS NULL AND b.expires_at > now()
  AND (b.key_hash IS NULL OR EXISTS (SELECT 1 FROM api_keys k WHERE k.hash = b.key_hash AND k.revoked_at IS NULL))
  AND (b.login_session_id IS NULL OR EXISTS (SELECT 1 FROM login_sessions l
    WHERE l.id = b.login_session_id AND l.revoked_at IS NULL AND l.expires_at > now()))`;

export async function addBrowserSession(
  tx: Transaction,
  {
    id,
    accountId,
    origin,
    hash,
    lifetimeSeconds,
  }: { id: string; accountId: string; origin: SessionOrigin; hash: string; lifetimeSeconds: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO browser_sessions (id, account_id, key_hash, login_session_id, secret_hash, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
    [
      ...[id, accountId, 'keyHash' in origin ? origin.keyHash : null],
      ...['loginSessionId' in origin ? origin.loginSessionId : null, hash, lifetimeSeconds],
    ],
  );
}

/** Of the API key with this hash, also when it was revoked. */
export async function keyIdOf(tx: Transaction, keyHash: string): Promise<string | undefined> {
  const [key] = await tx.query<{ id: string }>(`SELECT id FROM api_keys WHERE hash = $1`, [keyHash]);
  return key?.id;
}

/** Ends those that were unused for longest; true when there were any. */
export async function endBrowserSessionsBeyond(tx: Transaction, accountId: string, max: number): Promise<boolean> {
  const ended = await tx.query(
    `UPDATE browser_sessions SET revoked_at = now() WHERE revoked_at IS NULL AND id IN (
       SELECT id FROM browser_sessions WHERE account_id = $1 AND revoked_at IS NULL
       ORDER BY rotated_at DESC, id DESC OFFSET $2) RETURNING id`,
    [accountId, max],
  );
  return ended.length > 0;
}

/** The session, if it is still valid, and which of its secrets this is. */
export async function findBrowserSession(
  database: Database,
  { id, hash, dueSeconds, graceSeconds }: { id: string; hash: string; dueSeconds: number; graceSeconds: number },
): Promise<FoundSession | undefined> {
  const [found] = await database.query<FoundSession>(
    `SELECT b.account_id AS "accountId", a.agents_enabled AS "agentsEnabled",
            a.is_operator AS "isOperator", s.user_id AS "userId",
            b.login_session_id AS "loginSessionId", k.id AS "keyId",
            CASE WHEN b.secret_hash = $2 THEN 'current' WHEN b.next_hash = $2 THEN 'next'
                 WHEN b.previous_hash = $2 AND b.rotated_at > now() - make_interval(secs => $4) THEN 'previous'
                 WHEN b.previous_hash = $2 THEN 'used' ELSE 'unknown' END AS shown,
            b.rotated_at < now() - make_interval(secs => $3)
              AND (b.offered_at IS NULL OR b.offered_at < now() - make_interval(secs => $4)) AS "isDue"
       FROM browser_sessions b JOIN accounts a ON a.id = b.account_id
       LEFT JOIN login_sessions s ON s.id = b.login_session_id
       LEFT JOIN api_keys k ON k.hash = b.key_hash
      WHERE b.id = $1 AND ${VALID_SESSION}`,
    [id, hash, dueSeconds, graceSeconds],
  );
  return found;
}

/** Notes the next secret, which may not reach the browser. False where another request has just been given one. */
export async function offerSecret(
  database: Database,
  { id, hash, nextHash, graceSeconds }: { id: string; hash: string; nextHash: string; graceSeconds: number },
): Promise<boolean> {
  const offered = await database.query(
    `UPDATE browser_sessions SET next_hash = $3, offered_at = now()
      WHERE id = $1 AND secret_hash = $2 AND (offered_at IS NULL OR offered_at < now() - make_interval(secs => $4))
      RETURNING id`,
    [id, hash, nextHash, graceSeconds],
  );
  return offered.length > 0;
}

/** The offered secret was shown: it is the one that counts, and the session lives as long again. */
export async function takeUpSecret(
  database: Database,
  { id, nextHash, lifetimeSeconds }: { id: string; nextHash: string; lifetimeSeconds: number },
): Promise<void> {
  await database.query(
    `WITH session AS (
       UPDATE browser_sessions SET previous_hash = secret_hash, secret_hash = next_hash, next_hash = NULL,
              offered_at = NULL, rotated_at = now(), expires_at = now() + make_interval(secs => $3)
        WHERE id = $1 AND next_hash = $2 RETURNING login_session_id)
     UPDATE login_sessions SET rotated_at = now(), expires_at = now() + make_interval(secs => $3)
      WHERE id = (SELECT login_session_id FROM session) AND revoked_at IS NULL`,
    [id, nextHash, lifetimeSeconds],
  );
}

/** False when it had ended before. */
/** The account of a session that this ended, and by which key it was begun; undefined when it had ended before. */
export async function endBrowserSession(tx: Transaction, id: string) {
  const [ended] = await tx.query<{ accountId: string; keyHash: string | null }>(
    `UPDATE browser_sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL
      RETURNING account_id AS "accountId", key_hash AS "keyHash"`,
    [id],
  );
  return ended;
}

export async function sweepBrowserSessions(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM browser_sessions WHERE id IN (SELECT id FROM browser_sessions WHERE expires_at < now() LIMIT 10000)`,
  );
}
