import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { JWK } from 'jose';

export interface KeyRow {
  kid: string;
  public_key: JWK;
  sealed_private_key: string;
}

export interface TokenKeyRow extends KeyRow {
  /** Whether its time to sign has come. */
  may_sign: boolean;
}

/** A key signs for this long; its last tokens verify until they end by themselves, 30 days later. */
const SIGNS_FOR = '30 days';
/** The next key is published before it signs: whoever reads the public keys has it by then. */
const PREPARED_AFTER = '29 days';
const PUBLISHED_BEFORE = '1 hour';
const KEPT_FOR = '62 days';
/**
 * The first key of an installation whose gateways signed with EdDSA until now: gateways of that version run beside this
 * one during an upgrade, and know no other.
 */
const AFTER_UPGRADE = '24 hours';

/** The columns that hold private keys, for a change of the master key. */
export const sealedTokenKeys = { table: 'token_keys', column: 'sealed_private_key', id: 'kid', context: 'token_keys' };
export const sealedSigningKeys = {
  table: 'signing_keys',
  column: 'sealed_private_key',
  id: 'kid',
  context: 'signing_keys',
};

/** Keys that sign tokens: `token_keys` (ES256), and `signing_keys` (EdDSA) of the versions before. */
@Injectable()
export class SigningKeysRepository {
  constructor(private readonly database: Database) {}

  /** Removes what no token is signed with any more, and adds a key where one is due: replicas agree on one. */
  load(make: () => Promise<KeyRow>): Promise<{ current: TokenKeyRow[]; earlier: KeyRow[] }> {
    return this.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('roost-signing-keys', 0))`);
      await tx.query(`DELETE FROM token_keys WHERE created_at < now() - $1::interval`, [KEPT_FOR]);
      await tx.query(`DELETE FROM signing_keys WHERE created_at < now() - $1::interval`, [KEPT_FOR]);
      const due = await tx.query(
        `SELECT WHERE NOT EXISTS (SELECT FROM token_keys WHERE created_at > now() - $1::interval)`,
        [PREPARED_AFTER],
      );
      if (due.length > 0) await this.add(tx, await make());
      return {
        current: await tx.query<TokenKeyRow>(
          `SELECT kid, public_key, sealed_private_key, signs_from <= now() AS may_sign
             FROM token_keys ORDER BY signs_from DESC, kid`,
        ),
        earlier: await tx.query<KeyRow>(
          `SELECT kid, public_key, sealed_private_key FROM signing_keys ORDER BY created_at DESC`,
        ),
      };
    });
  }

  private async add(tx: Transaction, { kid, public_key, sealed_private_key }: KeyRow): Promise<void> {
    await tx.query(
      `INSERT INTO token_keys (kid, public_key, sealed_private_key, signs_from)
       SELECT $1, $2, $3, now() + CASE
         WHEN EXISTS (SELECT FROM token_keys WHERE created_at > now() - $4::interval) THEN $5::interval
         WHEN EXISTS (SELECT FROM signing_keys) AND NOT EXISTS (SELECT FROM token_keys) THEN $6::interval
         ELSE '0'::interval END`,
      [kid, JSON.stringify(public_key), sealed_private_key, SIGNS_FOR, PUBLISHED_BEFORE, AFTER_UPGRADE],
    );
  }
}
