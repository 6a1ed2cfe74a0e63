import { RoostError } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiKeys } from '../api-keys.js';
import { LoginLimits } from '../login-limits.js';
import { LoginSessions } from '../login-sessions.js';
import type { SignInProviderName } from '../oauth/sign-in-provider.js';
import { SignIns } from '../oauth/sign-ins.js';
import { type SignedIn, Users } from '../users.js';
import type { SessionOrigin } from './browser-sessions.repository.js';
import { isFromThisMachine } from './own-page.js';
import { SignInLinks } from './sign-in-links.js';

/** By what a browser shows who is at it. */
export type Proof =
  | { email: string; password: string }
  | { apiKey: string }
  | { link: string }
  | { provider: SignInProviderName; code: string; state: string; iss?: string | undefined };

interface Proven {
  accountId: string;
  /** What the session ends with. */
  origin: SessionOrigin;
}

/** Checks what a browser signs in with, within the same limits as sign-ins by tokens. */
@Injectable()
export class SessionStart {
  constructor(
    private readonly users: Users,
    private readonly keys: ApiKeys,
    private readonly links: SignInLinks,
    private readonly signIns: SignIns,
    private readonly logins: LoginSessions,
    private readonly limits: LoginLimits,
  ) {}

  /** Errors: UNAUTHORIZED, ACCESS_DENIED (a link from elsewhere; of a provider), NOT_FOUND, RATE_LIMITED. */
  async prove(proof: Proof, request: FastifyRequest): Promise<Proven> {
    if ('link' in proof) return this.byLink(proof.link, request);
    if ('apiKey' in proof) return this.byKey(proof.apiKey);
    if ('provider' in proof) {
      await this.limits.admit({ address: request.ip, of: 'password' });
      const { provider, ...came } = proof;
      return this.ofUser({ user: await this.signIns.finish(provider, came), passwordHash: undefined });
    }
    const attempt = { address: request.ip, email: proof.email, of: 'password' } as const;
    await this.limits.admit(attempt);
    const signedIn = await this.users.login(proof.email, proof.password, request.ip);
    await this.limits.succeeded(attempt);
    return this.ofUser(signedIn);
  }

  private async ofUser(signedIn: SignedIn): Promise<Proven> {
    return { accountId: signedIn.user.accountId, origin: { loginSessionId: await this.logins.open(signedIn) } };
  }

  private async byKey(key: string): Promise<Proven> {
    const owner = await this.keys.accountOf(key);
    if (!owner) throw new RoostError('UNAUTHORIZED', 'this API key is unknown or was revoked');
    return { accountId: owner.id, origin: { keyHash: owner.hash } };
  }

  private async byLink(code: string, request: FastifyRequest): Promise<Proven> {
    // Before the link is used up: who finds it elsewhere takes it from nobody.
    if (!isFromThisMachine(request))
      throw new RoostError(
        'ACCESS_DENIED',
        'a link works only in a browser on the machine that Roost runs on: sign in with the API key instead',
      );
    const { accountId, keyHash } = await this.links.use(code);
    return { accountId, origin: { keyHash } };
  }
}
