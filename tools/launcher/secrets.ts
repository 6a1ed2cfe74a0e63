import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The secret in a file, made at first use. The file has mode 0600 from its first moment and is never half-written. */
export function keptSecret(path: string, make: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${make()}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    // Made by another process at the same moment: theirs is as good.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, 'utf8').trim();
}

export interface LocalSecrets {
  /** `roost_sk_` and 40 base62 characters; the gateway registers it for the local account. */
  apiKey: string;
  apiKeyFile: string;
  /** 32 random bytes in base64: seals the agents' secrets. Losing it loses them. */
  masterKeyFile: string;
  /** The master keys before it; absent until the first was replaced. */
  previousMasterKeysFile?: string;
}

export function localSecrets(dataDir: string): LocalSecrets {
  const apiKeyFile = join(dataDir, 'api-key');
  const masterKeyFile = join(dataDir, 'master-key');
  keptSecret(masterKeyFile, () => randomBytes(32).toString('base64'));
  const previousMasterKeysFile = join(dataDir, 'previous-master-keys');
  return {
    ...(existsSync(previousMasterKeysFile) ? { previousMasterKeysFile } : {}),
    apiKey: keptSecret(apiKeyFile, () => `roost_sk_${base62(40)}`),
    apiKeyFile,
    masterKeyFile,
  };
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(length: number): string {
  return Array.from({ length }, () => digits[randomInt(digits.length)]).join('');
}
