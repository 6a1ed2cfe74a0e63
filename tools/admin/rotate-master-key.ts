import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RoostError } from '#lib/contracts';

/**
 * Makes a new master key for a data folder and keeps those before it, which still open what has not been wrapped anew.
 * Takes effect at the next start. The old key is on disk before the new one replaces it: a power cut in between
 * loses none. Errors: NOT_FOUND.
 */
export function rotateMasterKey(dataDir: string): void {
  const keyFile = join(dataDir, 'master-key');
  const previousFile = join(dataDir, 'previous-master-keys');
  if (!existsSync(keyFile))
    throw new RoostError('NOT_FOUND', `There is no master key in ${dataDir}: name the data folder with --data.`);
  const previous = existsSync(previousFile) ? readFileSync(previousFile, 'utf8').trim().split(',') : [];
  const current = readFileSync(keyFile, 'utf8').trim();
  replace(previousFile, [current, ...previous.filter((key) => key && key !== current)].join(','));
  replace(keyFile, randomBytes(32).toString('base64'));
}

function replace(path: string, content: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, `${content}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
}
