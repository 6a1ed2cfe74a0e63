import { Injectable } from '@nestjs/common';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { ApiKeys } from './api-keys.js';
import { BrowserSessionStrategy } from './browser-sessions/browser-session.strategy.js';
import { type BrowserIdentity, BrowserSessions } from './browser-sessions/browser-sessions.js';
import type { Identity } from './identity.js';
import { TrustedIssuers } from './issuers/trusted-issuers.js';
import { LoginSessions } from './login-sessions.js';
import { Strategies } from './strategies.js';
import { headOf } from './tokens/token-head.js';
import { ISSUER, Tokens } from './tokens/tokens.js';
import { Users } from './users.js';

/** Distinguishes API keys, our tokens and those of trusted issuers, and finds who presents them. */
@Injectable()
export class Authenticator {
  private readonly strategies = new Strategies();

  constructor(
    keys: ApiKeys,
    private readonly tokens: Tokens,
    private readonly users: Users,
    private readonly sessions: LoginSessions,
    private readonly issuers: TrustedIssuers,
    browsers: BrowserSessions,
  ) {
    this.strategies.use('api-key', new ApiKeyStrategy(keys));
    this.strategies.use('browser-session', new BrowserSessionStrategy(browsers));
  }

  /**
   * Undefined for a key or token that is unknown, revoked, forged or expired. Errors: of a trusted issuer's tokens
   * ACCESS_DENIED (nobody here is theirs), SERVICE_UNAVAILABLE (its keys cannot be fetched).
   */
  async identify(credential: string): Promise<Identity | undefined> {
    if (credential.startsWith('roost_sk_')) return this.strategies.run<Identity>('api-key', { credential });
    const head = headOf(credential);
    if (!head) return undefined;
    return head.iss === ISSUER ? this.ofSession(credential) : this.issuers.identify(credential, head);
  }

  /** Undefined for a cookie whose session is unknown or has ended. */
  identifyBrowser(cookie: string): Promise<BrowserIdentity | undefined> {
    return this.strategies.run<BrowserIdentity>('browser-session', { credential: cookie });
  }

  private async ofSession(token: string): Promise<Identity | undefined> {
    const shown = await this.tokens.verify(token, 'access');
    if (!shown) return undefined;
    const [user, isValid] = await Promise.all([this.users.find(shown.userId), this.sessions.isValid(shown)]);
    if (!user || !isValid) return undefined;
    const { userId, sessionId, issuedAt } = shown;
    const { accountId, agentsEnabled, isOperator } = user;
    return sessionId === undefined
      ? { accountId, agentsEnabled, isOperator, userId, credential: { kind: 'token', userId, issuedAt } }
      : { accountId, agentsEnabled, isOperator, userId, sessionId, credential: { kind: 'session', id: sessionId } };
  }
}
