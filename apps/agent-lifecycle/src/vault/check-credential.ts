import type { NewVaultSecret, VaultCredential } from '#lib/contracts';
import { checkRegisteredUrl, type GuardPolicy } from '#lib/net-guard';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { refused } from './where-it-goes.js';

const MIN_RSA_BITS = 2_048;

/** What the form of a credential does not say. Errors: VALIDATION_ERROR, without anything of its secret parts. */
export async function checkCredential(credential: VaultCredential, policy: GuardPolicy): Promise<void> {
  if (credential.kind === 'oauth2') {
    if (credential.refreshToken === undefined && credential.clientSecret === undefined)
      throw refused('credential', 'needs a refresh_token, or a client_secret for client credentials');
    await checkRegisteredUrl(credential.tokenUrl, policy, 'credential.token_url');
  }
  if (credential.kind === 'github_app') {
    requireSigningKey(credential.privateKey);
    await checkRegisteredUrl(credential.apiUrl, policy, 'credential.api_url');
  }
}

/** Where a placeholder is replaced if nothing else is said. */
export const usualPlacements = ({ kind }: VaultCredential): NonNullable<NewVaultSecret['placements']> =>
  kind === 'query' ? ['query'] : ['headers'];

function requireSigningKey(pem: string): void {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw refused('credential.private_key', 'is no private key in PEM without a passphrase');
  }
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS)
    throw refused('credential.private_key', `must be an RSA key of at least ${MIN_RSA_BITS} bits`);
}
