import { Sealer } from '#lib/auth';
import { Database } from '#lib/database';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';

const ALGORITHM = 'EdDSA';
const ISSUER = 'roost';
const ACCESS = '1h';
const REFRESH = '30d';
/** A key signs for this long; its tokens verify until they end by themselves. */
const ROTATE_AFTER = '30 days';
const KEEP_FOR = '61 days';

const Claims = z.object({ sub: z.uuid(), account: z.uuid(), use: z.enum(['access', 'refresh']) });
export type TokenUse = 'access' | 'refresh';

interface KeyRow {
  kid: string;
  public_key: JWK;
  sealed_private_key: string;
  is_fresh: boolean;
}

/** The column that holds private keys, for a change of the master key. */
export const sealedSigningKeys = {
  table: 'signing_keys',
  column: 'sealed_private_key',
  id: 'kid',
  place: 'signing_keys',
};

/** Signed tokens of users. Keys are made at first start, sealed in the database, and found by `kid`. */
@Injectable()
export class Tokens implements OnApplicationBootstrap, OnApplicationShutdown {
  private signing: { kid: string; key: Awaited<ReturnType<typeof importJWK>> } | undefined;
  private loadedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private known: JSONWebKeySet = { keys: [] };

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.load();
    // A key that has become old is replaced while we run, too.
    this.timer = setInterval(() => void this.load().catch(() => undefined), 3_600_000).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Both tokens of a user who has just shown who they are. */
  async issue(userId: string, accountId: string): Promise<{ token: string; refreshToken: string; expiresIn: number }> {
    const [token, refreshToken] = await Promise.all([
      this.sign(userId, accountId, 'access', ACCESS),
      this.sign(userId, accountId, 'refresh', REFRESH),
    ]);
    return { token, refreshToken, expiresIn: 3_600 };
  }

  /** Whose token it is; undefined for one that is forged, expired or for another use. */
  async verify(token: string, use: TokenUse): Promise<{ userId: string; accountId: string } | undefined> {
    await this.knowKey(token);
    const options = { issuer: ISSUER, algorithms: [ALGORITHM] };
    const verified = await jwtVerify(token, createLocalJWKSet(this.known), options).catch(() => undefined);
    const claims = Claims.safeParse(verified?.payload);
    return claims.success && claims.data.use === use
      ? { userId: claims.data.sub, accountId: claims.data.account }
      : undefined;
  }

  /** Another replica may have made the token's key since we looked; at most one look a second, whatever is sent. */
  private async knowKey(token: string): Promise<void> {
    let kid: string | undefined;
    try {
      kid = decodeProtectedHeader(token).kid;
    } catch {
      return;
    }
    if (kid === undefined || this.known.keys.some((key) => key.kid === kid) || Date.now() - this.loadedAt < 1_000)
      return;
    await this.load();
  }

  private async sign(userId: string, accountId: string, use: TokenUse, lifetime: string): Promise<string> {
    if (!this.signing) throw new Error('the signing keys are not loaded');
    return new SignJWT({ account: accountId, use })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.signing.kid })
      .setSubject(userId)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .sign(this.signing.key);
  }

  /** Replicas that start together agree on one key: the row lock lets the first make it. */
  private async load(): Promise<void> {
    this.loadedAt = Date.now();
    const rows = await this.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('roost-signing-keys', 0))`);
      await tx.query(`DELETE FROM signing_keys WHERE created_at < now() - $1::interval`, [KEEP_FOR]);
      const read = () =>
        tx.query<KeyRow>(
          `SELECT kid, public_key, sealed_private_key, created_at > now() - $1::interval AS is_fresh
             FROM signing_keys ORDER BY created_at DESC`,
          [ROTATE_AFTER],
        );
      const found = await read();
      if (found[0]?.is_fresh) return found;
      const pair = await generateKeyPair(ALGORITHM, { extractable: true });
      const publicKey = await exportJWK(pair.publicKey);
      const kid = await calculateJwkThumbprint(publicKey);
      const sealed = this.sealer.seal(JSON.stringify(await exportJWK(pair.privateKey)), `signing_keys:${kid}`);
      await tx.query(`INSERT INTO signing_keys (kid, public_key, sealed_private_key) VALUES ($1, $2, $3)`, [
        kid,
        JSON.stringify(publicKey),
        sealed,
      ]);
      return read();
    });
    this.known = { keys: rows.map((row) => ({ ...row.public_key, kid: row.kid, alg: ALGORITHM })) };
    const newest = rows[0];
    if (!newest) return;
    const privateKey = JSON.parse(this.sealer.open(newest.sealed_private_key, `signing_keys:${newest.kid}`)) as JWK;
    this.signing = { kid: newest.kid, key: await importJWK(privateKey, ALGORITHM) };
  }
}
