import type { Database } from '#lib/database';

const LIFETIME = '10 minutes';

/** A sign-in that has begun at a provider, by the hash of its state. */
export interface BegunSignIn {
  stateHash: string;
  provider: string;
  sealedPending: string;
}

export async function addSignIn(
  database: Database,
  { stateHash, provider, sealedPending }: BegunSignIn,
): Promise<void> {
  await database.query(`DELETE FROM oauth_sign_ins WHERE expires_at < now()`);
  await database.query(
    `INSERT INTO oauth_sign_ins (state_hash, provider, sealed_proof, expires_at) VALUES ($1, $2, $3, now() + $4::interval)`,
    [stateHash, provider, sealedPending, LIFETIME],
  );
}

/** The sealed secrets of a sign-in that is not too old, once. */
export async function takeSignIn(database: Database, stateHash: string, provider: string): Promise<string | undefined> {
  const [row] = await database.query<{ sealed_proof: string }>(
    `DELETE FROM oauth_sign_ins WHERE state_hash = $1 AND provider = $2 AND expires_at > now() RETURNING sealed_proof`,
    [stateHash, provider],
  );
  return row?.sealed_proof;
}
