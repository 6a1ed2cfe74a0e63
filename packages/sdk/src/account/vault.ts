import { type Core, dataOf, idOf } from '../core.js';
import { vaultCreate, vaultGet, vaultList, vaultRemove, vaultSecretGrants, vaultUpdate } from '../generated/sdk.gen.js';
import type {
  VaultCreateData,
  VaultGetResponses,
  VaultSecretGrantsResponses,
  VaultUpdateData,
} from '../generated/types.gen.js';
import { type Listing, numbered } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type VaultSecret = VaultGetResponses[200];
export type NewVaultSecret = VaultCreateData['body'];
export type VaultSecretChange = VaultUpdateData['body'];
export type VaultCredential = NewVaultSecret['credential'];
export type VaultGrant = VaultSecretGrantsResponses[200]['grants'][number];

/** Secrets that agents use and never see. `agent.secrets` says which of them an agent may use. */
export class Vault {
  constructor(private readonly core: Core) {}

  /** Its value is sealed and not returned again. No agent may use it before it is granted. */
  create(secret: NewVaultSecret, options?: CallOptions): Promise<VaultSecret> {
    return dataOf(vaultCreate({ ...this.core.by(options), body: secret }));
  }

  /** By name. */
  list(options?: CallOptions): Listing<VaultSecret> {
    return numbered(
      (page) => dataOf(vaultList({ ...this.core.by(options), query: { page, limit: 100 } })),
      ({ secrets }) => secrets,
    );
  }

  get(id: string, options?: CallOptions): Promise<VaultSecret> {
    return dataOf(vaultGet(this.call(id, options)));
  }

  /** With a new `credential` the next request of each agent carries it. */
  update(id: string, change: VaultSecretChange, options?: CallOptions): Promise<VaultSecret> {
    return dataOf(vaultUpdate({ ...this.call(id, options), body: change }));
  }

  /** With its grants. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await dataOf(vaultRemove(this.call(id, options)));
  }

  /** Which agents may use it, and what they did with it. */
  async grants(id: string, options?: CallOptions): Promise<VaultGrant[]> {
    return (await dataOf(vaultSecretGrants(this.call(id, options)))).grants;
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'a secret') } };
  }
}
