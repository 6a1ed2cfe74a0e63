import type { Database, Transaction } from '#lib/database';

/** Returns when it ends. */
export async function addLink(
  tx: Transaction,
  { codeHash, accountId, keyHash, minutes }: { codeHash: string; accountId: string; keyHash: string; minutes: number },
): Promise<Date> {
  const [link] = await tx.query<{ expiresAt: Date }>(
    `INSERT INTO sign_in_links (code_hash, account_id, key_hash, expires_at)
     VALUES ($1, $2, $3, now() + make_interval(mins => $4)) RETURNING expires_at AS "expiresAt"`,
    [codeHash, accountId, keyHash, minutes],
  );
  if (!link) throw new Error('the new link was not stored');
  return link.expiresAt;
}

/** The oldest go first. */
export async function removeLinksBeyond(tx: Transaction, accountId: string, max: number): Promise<void> {
  await tx.query(
    `DELETE FROM sign_in_links WHERE code_hash IN (
       SELECT code_hash FROM sign_in_links WHERE account_id = $1 ORDER BY created_at DESC, code_hash OFFSET $2)`,
    [accountId, max],
  );
}

/** Uses a link up. Undefined for one that is unknown, used or old, or whose key was revoked since. */
export async function takeLink(database: Database, codeHash: string) {
  const [link] = await database.query<{ accountId: string; keyHash: string }>(
    `DELETE FROM sign_in_links l WHERE l.code_hash = $1 AND l.expires_at > now()
        AND EXISTS (SELECT 1 FROM api_keys k WHERE k.hash = l.key_hash AND k.revoked_at IS NULL)
      RETURNING l.account_id AS "accountId", l.key_hash AS "keyHash"`,
    [codeHash],
  );
  return link;
}

export async function sweepLinks(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM sign_in_links WHERE code_hash IN (
       SELECT code_hash FROM sign_in_links WHERE expires_at < now() LIMIT 10000)`,
  );
}
