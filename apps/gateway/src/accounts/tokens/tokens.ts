import { Injectable } from '@nestjs/common';
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { jwtStrategy, Strategies } from '../strategies.js';
import { headOf } from './token-head.js';
import { ALGORITHM, EARLIER_ALGORITHM, SigningKeys } from './signing-keys.js';

export const ISSUER = 'roost';
/** Absent in tokens of EdDSA, which the version before made. */
const AUDIENCE = 'roost';
export const ACCESS_SECONDS = 3_600;
/** How long a refresh token is valid; each new one is as long again. */
export const REFRESH_SECONDS = 30 * 86_400;

const Claims = z.object({
  sub: z.uuid(),
  account: z.uuid(),
  use: z.enum(['access', 'refresh']),
  iat: z.number(),
  exp: z.number(),
  /** The sign-in that it came of; tokens of the version before sign-ins were rows name none. */
  sid: z.uuid().optional(),
  /** Of a refresh token: the how many-th of its sign-in it is. */
  gen: z.number().int().optional(),
});
export type TokenUse = 'access' | 'refresh';

/** What a token states; whether its sign-in is still valid is in the database. */
export interface ShownToken {
  userId: string;
  sessionId: string | undefined;
  generation: number;
  issuedAt: Date;
}

/** Signed tokens of users (ES256), verified by passport-jwt; those of EdDSA, which it does not know, by jose. */
@Injectable()
export class Tokens {
  private readonly strategies = new Strategies();

  constructor(private readonly keys: SigningKeys) {
    this.strategies.use('token', jwtStrategy({ algorithms: [ALGORITHM], issuer: ISSUER, audience: AUDIENCE }));
  }

  /** Whose token it is; undefined for one that is forged, expired or for another use. */
  async verify(token: string, use: TokenUse): Promise<ShownToken | undefined> {
    const head = headOf(token);
    if (head?.kid === undefined || head.iss !== ISSUER) return undefined;
    await this.keys.loadIfUnknown(head.kid);
    const verified =
      head.alg === EARLIER_ALGORITHM
        ? await this.verifyEarlier(token)
        : await this.strategies.run('token', { credential: token, key: this.keys.find(head.kid) });
    const claims = Claims.safeParse(verified);
    if (!claims.success || claims.data.use !== use) return undefined;
    const { sub, sid, gen, iat } = claims.data;
    return { userId: sub, sessionId: sid, generation: gen ?? 0, issuedAt: new Date(iat * 1_000) };
  }

  /** A token of the sign-in; a refresh token also states which of the sign-in's it is. */
  sign(
    user: { id: string; accountId: string },
    use: TokenUse,
    session: { id: string; generation: number },
  ): Promise<string> {
    const { kid, algorithm, key } = this.keys.signer;
    const which = use === 'refresh' ? { gen: session.generation } : {};
    const token = new SignJWT({ account: user.accountId, use, sid: session.id, ...which })
      .setProtectedHeader({ alg: algorithm, kid })
      .setSubject(user.id)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime(`${use === 'access' ? ACCESS_SECONDS : REFRESH_SECONDS}s`);
    if (algorithm === ALGORITHM) token.setAudience(AUDIENCE);
    return token.sign(key);
  }

  private async verifyEarlier(token: string): Promise<object | undefined> {
    const options = { issuer: ISSUER, algorithms: [EARLIER_ALGORITHM] };
    const verified = await jwtVerify(token, createLocalJWKSet(this.keys.earlier), options).catch(() => undefined);
    return verified?.payload;
  }
}
