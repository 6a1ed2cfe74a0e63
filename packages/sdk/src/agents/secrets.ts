import type { VaultGrant } from '../account/vault.js';
import { type Core, dataOf, idOf } from '../core.js';
import { agentVaultGrant, agentVaultList, agentVaultRevoke, agentVaultUpdate } from '../generated/sdk.gen.js';
import type { AgentVaultGrantData, AgentVaultUpdateData } from '../generated/types.gen.js';
import type { CallOptions } from '../transport/transport.js';

/** Which secrets of the account's vault an agent may use. */
export class AgentSecrets {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** With `env_name` that variable of its sandbox holds a placeholder; without, requests that match carry the secret. With `ask` each of them waits for an approval. */
  grant(grant: AgentVaultGrantData['body'], options?: CallOptions): Promise<VaultGrant> {
    return dataOf(agentVaultGrant({ ...this.core.by(options), path: { id: this.agentId }, body: grant }));
  }

  async list(options?: CallOptions): Promise<VaultGrant[]> {
    return (await dataOf(agentVaultList({ ...this.core.by(options), path: { id: this.agentId } }))).grants;
  }

  /** Whether a person is asked first, from the next request on. */
  update(grantId: string, change: AgentVaultUpdateData['body'], options?: CallOptions): Promise<VaultGrant> {
    const path = { id: this.agentId, grantId: idOf(grantId, 'a grant') };
    return dataOf(agentVaultUpdate({ ...this.core.by(options), path, body: change }));
  }

  /** No further request carries the secret. */
  async revoke(grantId: string, options?: CallOptions): Promise<void> {
    const path = { id: this.agentId, grantId: idOf(grantId, 'a grant') };
    await dataOf(agentVaultRevoke({ ...this.core.by(options), path }));
  }
}
