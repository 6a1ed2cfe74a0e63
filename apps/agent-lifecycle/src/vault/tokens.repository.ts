import type { Database, Queries } from '#lib/database';
import type { SecretRow } from './vault-row.js';

/** All SQL of `vault_tokens`. */

export type SecretWithToken = Pick<SecretRow, 'id' | 'sealed_value' | 'rotated_at'> & {
  sealed_token: string | null;
  expires_at: Date | null;
};

/** With `lease` only where it still counts: a changed secret has lost it, and is somebody else's to renew. */
export async function findWithToken(
  queries: Queries,
  secretId: string,
  lease?: string,
): Promise<SecretWithToken | undefined> {
  const [row] = await queries.query<SecretWithToken>(
    `SELECT s.id, s.sealed_value, s.rotated_at, t.sealed_token, t.expires_at
     FROM vault_secrets s LEFT JOIN vault_tokens t ON t.secret_id = s.id
     WHERE s.id = $1 AND ($2::uuid IS NULL OR t.lease = $2)`,
    [secretId, lease],
  );
  return row;
}

/** False while another has it, and where the token was renewed meanwhile. */
export async function takeLease(queries: Queries, secretId: string, lease: string, seconds: number): Promise<boolean> {
  const taken = await queries.query(
    `INSERT INTO vault_tokens (secret_id, lease, lease_until)
     SELECT id, $2, now() + make_interval(secs => $3) FROM vault_secrets WHERE id = $1
     ON CONFLICT (secret_id) DO UPDATE SET lease = excluded.lease, lease_until = excluded.lease_until
       WHERE (vault_tokens.lease_until IS NULL OR vault_tokens.lease_until < now())
         AND (vault_tokens.expires_at IS NULL OR vault_tokens.expires_at <= now())
     RETURNING secret_id`,
    [secretId, lease, seconds],
  );
  return taken.length > 0;
}

export async function dropLease(queries: Queries, secretId: string, lease: string): Promise<void> {
  await queries.query(`UPDATE vault_tokens SET lease = NULL, lease_until = NULL WHERE secret_id = $1 AND lease = $2`, [
    secretId,
    lease,
  ]);
}

export interface NewToken {
  secretId: string;
  lease: string;
  /** The credential, as it was stored when it was used. */
  usedValue: SecretWithToken['sealed_value'];
  sealedToken: string;
  expiresAt: Date;
  /** The credential with its next refresh token. */
  sealedValue: string | undefined;
}

/**
 * Stores a token, and the credential where it changed. False where the secret has a new value. A lease that ran out is
 * no reason: what the server sent is the only refresh token that is good from then on.
 */
export function keepToken(database: Database, token: NewToken): Promise<boolean> {
  return database.transaction(async (tx) => {
    // In the order in which a change of the secret locks both.
    await tx.query(`SELECT 1 FROM vault_secrets WHERE id = $1 FOR UPDATE`, [token.secretId]);
    const kept = await tx.query(
      `UPDATE vault_tokens t SET sealed_token = $3, expires_at = $4, lease = NULLIF(t.lease, $2),
         lease_until = CASE WHEN t.lease <> $2 THEN t.lease_until END
       FROM vault_secrets s
       WHERE t.secret_id = $1 AND s.id = $1 AND (t.lease = $2 OR s.sealed_value = $5) RETURNING t.secret_id`,
      [token.secretId, token.lease, token.sealedToken, token.expiresAt, token.usedValue],
    );
    if (kept.length > 0 && token.sealedValue !== undefined)
      await tx.query(`UPDATE vault_secrets SET sealed_value = $2 WHERE id = $1`, [token.secretId, token.sealedValue]);
    return kept.length > 0;
  });
}
