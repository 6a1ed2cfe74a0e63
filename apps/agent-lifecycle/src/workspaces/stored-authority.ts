import type { Sealer } from '#lib/auth';
import type { Database } from '#lib/database';
import { type EgressAuthority, makeEgressAuthority } from '../sandboxes/egress/authority.js';

/** For the rotation of the master key. */
export const sealedAuthority = {
  table: 'egress_authority',
  column: 'sealed_key',
  id: 'id',
  context: 'egress_authority',
};
/** The one row. */
const id = 'installation';
const context = `${sealedAuthority.context}:${id}`;

/**
 * The installation's certificate authority; made when it is first asked for. Replicas that do so at once get the same:
 * the row that was there first counts.
 */
export async function storedAuthority(database: Database, sealer: Sealer): Promise<EgressAuthority> {
  const find = async (): Promise<EgressAuthority | undefined> => {
    const [row] = await database.query<{ certificate: string; sealedKey: string }>(
      `SELECT certificate, sealed_key AS "sealedKey" FROM egress_authority WHERE id = $1`,
      [id],
    );
    return row && { certificate: row.certificate, key: sealer.open(row.sealedKey, context) };
  };
  const found = await find();
  if (found) return found;
  const { certificate, key } = await makeEgressAuthority();
  await database.query(
    `INSERT INTO egress_authority (id, certificate, sealed_key) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`,
    [id, certificate, sealer.seal(key, context)],
  );
  const stored = await find();
  if (!stored) throw new Error('the certificate authority was not stored');
  return stored;
}
