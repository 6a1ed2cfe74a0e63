import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BusTrust } from '#lib/nats-auth';
import { keptSecret } from './secrets.js';

/** Loaded when something is signed: the launcher, which reads what is kept, needs none of it. */
const credentials = () => import('#lib/nats-auth');

export function hasTrust(natsDir: string): boolean {
  return existsSync(join(natsDir, 'trust.json'));
}

/** The operator and accounts of a data folder, made at first start and kept in `nats/trust.json`, mode 0600. */
export async function keptTrust(natsDir: string, accountNames: string[]): Promise<BusTrust> {
  const path = join(natsDir, 'trust.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as BusTrust;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  mkdirSync(natsDir, { recursive: true, mode: 0o700 });
  const { createTrust } = await credentials();
  const trust = await createTrust(accountNames);
  return JSON.parse(keptSecret(path, () => JSON.stringify(trust))) as BusTrust;
}

export interface ServiceAccess {
  /** Path of the service's own `.creds` file, made anew: it may do what this version's service does. */
  credsFile(serviceName: string): Promise<string>;
  /** Path of the `.creds` file for `npm run admin` with NATS_URL, made anew. */
  adminCredsFile(): Promise<string>;
  /** Path of the account's seed, for the service that makes workspace credentials. */
  accountSeedFile: string;
}

/** Writes one account's seed and its services' credentials into `folder` (0700, files 0600), where services read them. */
export function serviceAccess(folder: string, accountSeed: string): ServiceAccess {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const accountSeedFile = join(folder, 'account.seed');
  writeFileSync(accountSeedFile, `${accountSeed}\n`, { mode: 0o600 });
  const write = (name: string, credentials: string) => {
    const path = join(folder, `${name}.creds`);
    writeFileSync(path, credentials, { mode: 0o600 });
    return path;
  };
  return {
    accountSeedFile,
    credsFile: async (serviceName) =>
      write(serviceName, await (await credentials()).serviceCredentials(accountSeed, serviceName)),
    adminCredsFile: async () => write('admin', await (await credentials()).adminCredentials(accountSeed)),
  };
}
