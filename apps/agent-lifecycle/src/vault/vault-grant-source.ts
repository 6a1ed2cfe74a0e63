import type {
  EgressCredential,
  EgressGrant,
  EgressRequest,
  EgressUse,
  EgressVerdict,
  VaultCredential,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { GrantSource } from '../sandboxes/egress/grant-source.js';
import { AccessTokens, type AccessToken } from './access-tokens.js';
import { grantsWithSecrets, recordUses, secretOfGrant, type WholeGrant } from './grants.repository.js';
import { GrantApprovals } from './grant-approvals.js';
import { VaultChanges } from './vault-changes.js';
import { VaultValues } from './vault-values.js';

/** What the egress process is given of the vault. */
@Injectable()
export class VaultGrantSource implements GrantSource {
  constructor(
    private readonly database: Database,
    private readonly values: VaultValues,
    private readonly tokens: AccessTokens,
    private readonly changes: VaultChanges,
    private readonly approvals: GrantApprovals,
  ) {}

  get askHoldMs(): number {
    return this.approvals.holdMs;
  }

  async grantsOf(agentId: string): Promise<EgressGrant[]> {
    return (await grantsWithSecrets(this.database, agentId)).map((row) => this.egressGrantOf(row));
  }

  /** Errors: NOT_FOUND for a grant that was revoked; SERVICE_UNAVAILABLE saying why there is no token. */
  async tokenFor(grantId: string): Promise<AccessToken> {
    const secret = await secretOfGrant(this.database, grantId);
    if (!secret) throw new Error('the grant was revoked');
    return this.tokens.of(secret);
  }

  mayUse(grantId: string, request: EgressRequest): Promise<EgressVerdict> {
    return this.approvals.mayUse(grantId, request);
  }

  used(uses: EgressUse[]): Promise<void> {
    return this.database.transaction((tx) => recordUses(tx, uses));
  }

  onChanged(listener: (agentId: string) => void): void {
    this.changes.listen(listener);
  }

  private egressGrantOf(row: WholeGrant): EgressGrant {
    return {
      id: row.id,
      secret: row.secret,
      ...(row.placeholder === null ? {} : { placeholder: row.placeholder }),
      hosts: row.hosts,
      ...(row.methods ? { methods: row.methods } : {}),
      ...(row.path_prefixes ? { pathPrefixes: row.path_prefixes } : {}),
      placements: row.placements,
      asks: row.mode === 'ask',
      credential: egressCredentialOf(this.values.open({ id: row.secret_id, sealed_value: row.sealed_value })),
    };
  }
}

const egressCredentialOf = (credential: VaultCredential): EgressCredential =>
  credential.kind === 'oauth2' || credential.kind === 'github_app' ? { kind: 'dynamic' } : credential;
