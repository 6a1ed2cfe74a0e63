import { RoostError, type VaultCredential, vaultReference } from '#lib/contracts';
import { Database } from '#lib/database';
import { coversHost, coversRequest } from '#lib/net-guard';
import { Injectable } from '@nestjs/common';
import { AccessTokens } from './access-tokens.js';
import type { SecretRow } from './vault-row.js';
import { secretsNamed } from './vault.repository.js';
import { VaultValues } from './vault-values.js';

/** Puts secrets in the headers of requests that are made on the trusted side, such as those to MCP servers. */
@Injectable()
export class VaultHeaders {
  constructor(
    private readonly database: Database,
    private readonly values: VaultValues,
    private readonly tokens: AccessTokens,
  ) {}

  /**
   * The headers with `${vault.NAME}` replaced. A header that is nothing else gets the credential in its own form
   * (`Bearer …`), within other text its bare value. Errors: VALIDATION_ERROR, SERVICE_UNAVAILABLE.
   */
  async open(accountId: string, url: string, headers: Record<string, string>): Promise<Record<string, string>> {
    const names = [...new Set(Object.values(headers).flatMap(namesIn))];
    const secrets = new Map((await secretsNamed(this.database, accountId, names)).map((row) => [row.name, row]));
    const forms = new Map<string, Forms>();
    for (const name of names) {
      const secret = secrets.get(name);
      if (!secret) throw refused(`the vault has no secret called "${name}"`);
      assertFor(secret, url);
      forms.set(name, await this.formsOf(secret));
    }
    const bare = (text: string) => text.replace(vaultReference(), (_, name: string) => forms.get(name)?.bare ?? '');
    return Object.fromEntries(
      Object.entries(headers).map(([name, text]) => {
        const [only] = namesIn(text);
        const isWhole = only !== undefined && text.trim() === `\${vault.${only}}`;
        return [name, isWhole && name.toLowerCase() === 'authorization' ? (forms.get(only)?.whole ?? '') : bare(text)];
      }),
    );
  }

  private async formsOf(secret: SecretRow): Promise<Forms> {
    const credential = this.values.open(secret);
    const { kind } = credential;
    if (kind !== 'oauth2' && kind !== 'github_app') return formsOf(credential, secret.name);
    const { token } = await this.tokens.of(secret);
    return { bare: token, whole: `Bearer ${token}` };
  }
}

interface Forms {
  bare: string;
  /** As the value of `Authorization`. */
  whole: string;
}

const namesIn = (text: string): string[] => [...text.matchAll(vaultReference())].map(([, name = '']) => name);

function formsOf(credential: VaultCredential, name: string): Forms {
  switch (credential.kind) {
    case 'bearer':
      return { bare: credential.token, whole: `Bearer ${credential.token}` };
    case 'basic': {
      const encoded = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
      return { bare: encoded, whole: `Basic ${encoded}` };
    }
    case 'header':
      return { bare: credential.value, whole: credential.value };
    default:
      throw refused(`the secret "${name}" is of the kind ${credential.kind}, which goes in no header`);
  }
}

/** Errors: VALIDATION_ERROR for an address that the secret is not for. */
function assertFor({ name, hosts, methods, path_prefixes: pathPrefixes }: SecretRow, text: string): void {
  const url = new URL(text);
  // What never leaves the machine needs no TLS.
  if (url.protocol !== 'https:' && url.hostname !== 'localhost')
    throw refused(`the secret "${name}" is sent over https only`);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const covers = { hosts, ...(methods ? { methods } : {}), ...(pathPrefixes ? { pathPrefixes } : {}) };
  if (!coversHost(covers, { host: url.hostname, port }))
    throw refused(`the secret "${name}" is not for ${url.host}: its hosts are ${hosts.join(', ')}`);
  if (!coversRequest(covers, 'POST', url.pathname))
    throw refused(`the secret "${name}" may not be sent to POST ${url.pathname}`);
}

const refused = (message: string) =>
  new RoostError('VALIDATION_ERROR', message, [{ field: 'headers', reason: 'vault' }]);
