import { Strategy } from 'passport';
import type { ApiKeys } from './api-keys.js';
import type { Identity } from './identity.js';
import type { Presented } from './strategies.js';

/** Lets in whoever presents a platform API key that was not revoked. */
export class ApiKeyStrategy extends Strategy {
  constructor(private readonly keys: ApiKeys) {
    super();
  }

  override authenticate(presented: unknown): void {
    this.keys.accountOf((presented as Presented).credential).then(
      (owner) => {
        if (!owner) return this.fail('the key is unknown or revoked');
        const { id: accountId, agentsEnabled, isOperator, hash, keyId } = owner;
        const credential = { kind: 'key', hash, keyId } as const;
        this.success({ accountId, agentsEnabled, isOperator, credential } satisfies Identity);
      },
      (error: unknown) => this.error(error),
    );
  }
}
