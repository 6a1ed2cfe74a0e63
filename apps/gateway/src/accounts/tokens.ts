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
export const ACCESS_SECONDS = 3_600;
/** A refresh token lives this long, and each new one as long again. */
export const REFRESH_SECONDS = 30 * 86_400;
/** A key signs for this long; its tokens verify until they end by themselves. */
const ROTATE_AFTER = '30 days';
const KEEP_FOR = '61 days';

const Claims = z.object({
  sub: z.uuid(),
  account: z.uuid(),
  use: z.enum(['access', 'refresh']),
  iat: z.number(),
  /** The sign-in that it came of; the previous version's tokens name none. */
  sid: z.uuid().optional(),
  /** Of a refresh token: the how many-th of its sign-in it is. */
  gen: z.number().int().optional(),
});
export type TokenUse = 'access' | 'refresh';

/** What a token says; whether its sign-in still stands is in the database. */
export interface ShownToken {
  userId: string;
  sessionId: string | undefined;
  generation: number;
  issuedAt: Date;
}

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

  /** Whose token it is; undefined for one that is forged, expired or for another use. */
  async verify(token: string, use: TokenUse): Promise<ShownToken | undefined> {
    await this.knowKey(token);
    const options = { issuer: ISSUER, algorithms: [ALGORITHM] };
    const verified = await jwtVerify(token, createLocalJWKSet(this.known), options).catch(() => undefined);
    const claims = Claims.safeParse(verified?.payload);
    if (!claims.success || claims.data.use !== use) return undefined;
    const { sub, sid, gen, iat } = claims.data;
    return { userId: sub, sessionId: sid, generation: gen ?? 0, issuedAt: new Date(iat * 1_000) };
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

  /** A token of the sign-in; a refresh token also says which of the sign-in's it is. */
  async sign(
    user: { id: string; accountId: string },
    use: TokenUse,
    session: { id: string; generation: number },
  ): Promise<string> {
    if (!this.signing) throw new Error('the signing keys are not loaded');
    const which = use === 'refresh' ? { gen: session.generation } : {};
    return new SignJWT({ account: user.accountId, use, sid: session.id, ...which })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.signing.kid })
      .setSubject(user.id)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime(`${use === 'access' ? ACCESS_SECONDS : REFRESH_SECONDS}s`)
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
