import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { roleUrl } from '#lib/database/roles';
import { keptTrust, serviceAccess } from '../launcher/nats-trust.js';
import { keptSecret, localSecrets } from '../launcher/secrets.js';
import { services } from '../launcher/services.js';

/** The services' user in their image. */
const SERVICE_UID = 1000;

/**
 * Makes what a new installation needs in `folder`: the master key, the first API key, PostgreSQL's password, a connection
 * string for each service's role, the bus' operator and account, a credentials file per service and one for
 * `npm run admin`, and the accounts as nats-server reads them. What is there already stays, but for the credentials and
 * the services' connection strings: these are made anew, as this version needs them.
 * Returns messages for the operator.
 */
export async function setUp(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { apiKeyFile, masterKeyFile } = localSecrets(folder);
  const passwordFile = join(folder, 'postgres-password');
  const password = keptSecret(passwordFile, () => randomBytes(24).toString('hex'));
  const databaseUrlFile = join(folder, 'database-url');
  const databaseUrl = keptSecret(databaseUrlFile, () => `postgres://roost:${password}@postgres:5432/roost`);
  const roleFiles = services.map(({ name, schema }) => {
    const path = join(folder, `database-url-${name}`);
    writeFileSync(path, `${roleUrl(databaseUrl, schema)}\n`, { mode: 0o600 });
    return path;
  });

  const natsFolder = join(folder, 'nats');
  mkdirSync(natsFolder, { recursive: true, mode: 0o700 });
  const trust = await keptTrust(natsFolder, ['ROOST']);
  const access = serviceAccess(folder, trust.accounts[0]?.seed ?? '');
  const credentials: string[] = [];
  for (const { name } of services) credentials.push(await access.credsFile(name));
  credentials.push(await access.adminCredsFile());

  // Not secret: what the server must know to distinguish users by account.
  const accounts = [trust.systemAccount, ...trust.accounts].map(({ publicKey, jwt }) => `  ${publicKey}: ${jwt}`);
  const accountsFile = join(folder, 'nats-accounts.conf');
  writeFileSync(
    accountsFile,
    `operator: ${trust.operatorJwt}\nsystem_account: ${trust.systemAccount.publicKey}\nresolver: MEMORY\nresolver_preload {\n${accounts.join('\n')}\n}\n`,
  );
  chmodSync(accountsFile, 0o644);

  const files = [
    apiKeyFile,
    masterKeyFile,
    passwordFile,
    databaseUrlFile,
    ...roleFiles,
    access.accountSeedFile,
    ...credentials,
  ];
  // A folder that the host mounted belongs to root; the services read their files as their own user.
  if (process.getuid?.() === 0) for (const file of files) chownSync(file, SERVICE_UID, SERVICE_UID);
  chmodSync(folder, 0o711);
  return `The secrets are there. The API key is in ${apiKeyFile}. Keep a copy of ${masterKeyFile} elsewhere: without it sealed keys and tokens cannot be read again.`;
}
