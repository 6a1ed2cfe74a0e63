import { Injectable } from '@nestjs/common';
import { ApiKeys } from './api-keys.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';

/** Who a request comes from. */
export interface Identity {
  accountId: string;
  agentsEnabled: boolean;
  /** Who signed in; absent for an API key. */
  userId?: string;
}

/** Tells API keys and tokens apart and looks them up. */
@Injectable()
export class Identities {
  constructor(
    private readonly keys: ApiKeys,
    private readonly tokens: Tokens,
    private readonly users: Users,
  ) {}

  /** Undefined for a key or token that is unknown, revoked, forged or expired. */
  async of(credential: string): Promise<Identity | undefined> {
    if (credential.startsWith('roost_sk_')) {
      const owner = await this.keys.accountOf(credential);
      return owner && { accountId: owner.id, agentsEnabled: owner.agentsEnabled };
    }
    const shown = await this.tokens.verify(credential, 'access');
    const user = shown && (await this.users.find(shown.userId));
    return user && { accountId: user.accountId, agentsEnabled: user.agentsEnabled, userId: user.id };
  }
}
