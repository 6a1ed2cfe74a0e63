import { Sealer } from '#lib/auth';
import type { VaultCredential } from '#lib/contracts';
import { Injectable } from '@nestjs/common';
import type { SecretRow } from './vault-row.js';

/** Seals credentials and the tokens that were fetched with them, each for its own row. */
@Injectable()
export class VaultValues {
  constructor(private readonly sealer: Sealer) {}

  seal(secretId: string, credential: VaultCredential): string {
    return this.sealer.seal(JSON.stringify(credential), `vault_secrets:${secretId}`);
  }

  open({ id, sealed_value }: Pick<SecretRow, 'id' | 'sealed_value'>): VaultCredential {
    return JSON.parse(this.sealer.open(sealed_value, `vault_secrets:${id}`)) as VaultCredential;
  }

  sealToken(secretId: string, token: string): string {
    return this.sealer.seal(token, `vault_tokens:${secretId}`);
  }

  openToken(secretId: string, sealed: string): string {
    return this.sealer.open(sealed, `vault_tokens:${secretId}`);
  }
}
