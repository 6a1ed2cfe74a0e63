import { Injectable } from '@nestjs/common';
import { ApiKeys } from './api-keys.js';
import { LoginSessions } from './login-sessions.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';

/** What a request was let in by: while it is open, it is looked up again whether that still stands. */
export type Credential =
  | { kind: 'key'; hash: string }
  | { kind: 'session'; id: string }
  /** A token of the previous version, which names no sign-in. */
  | { kind: 'token'; userId: string; issuedAt: Date };

/** Who a request comes from. */
export interface Identity {
  accountId: string;
  agentsEnabled: boolean;
  /** Who signed in; absent for an API key. */
  userId?: string;
  /** Of a token: the sign-in that it came of. */
  sessionId?: string;
  credential: Credential;
}

/** Tells API keys and tokens apart and looks them up. */
@Injectable()
export class Identities {
  constructor(
    private readonly keys: ApiKeys,
    private readonly tokens: Tokens,
    private readonly users: Users,
    private readonly sessions: LoginSessions,
  ) {}

  /** Undefined for a key or token that is unknown, revoked, forged or expired. */
  async of(credential: string): Promise<Identity | undefined> {
    if (credential.startsWith('roost_sk_')) {
      const owner = await this.keys.accountOf(credential);
      if (!owner) return undefined;
      const { id: accountId, agentsEnabled, hash } = owner;
      return { accountId, agentsEnabled, credential: { kind: 'key', hash } };
    }
    const shown = await this.tokens.verify(credential, 'access');
    if (!shown) return undefined;
    const [user, stands] = await Promise.all([this.users.find(shown.userId), this.sessions.stands(shown)]);
    if (!user || !stands) return undefined;
    const { userId, sessionId, issuedAt } = shown;
    const { accountId, agentsEnabled } = user;
    return sessionId === undefined
      ? { accountId, agentsEnabled, userId, credential: { kind: 'token', userId, issuedAt } }
      : { accountId, agentsEnabled, userId, sessionId, credential: { kind: 'session', id: sessionId } };
  }
}
