import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { RoostError } from '#lib/contracts';
import { lockDataFolder } from '#tools/launcher';
import { tar } from './tar.js';

/** What a restored Roost makes anew. */
const leftOut = [
  './logs',
  './sandbox-kits',
  './roost.lock*',
  './postgres/postmaster.pid',
  './postgres/postmaster.opts',
  './postgres/.s.PGSQL.*',
];

/**
 * Packs a data folder into one `.tar.gz`: database, agents' volumes, streams, keys. Roost must not run on it meanwhile,
 * since volumes that are written while they are copied would not be whole; the folder is locked for the time. The file
 * appears when it is complete, readable by its owner only: it holds the master key and the API key.
 * Errors: NOT_FOUND (no data folder), ALREADY_EXISTS (`file`), CONFLICT (Roost runs on the folder), INTERNAL (tar failed).
 */
export async function backup(dataDir: string, file: string): Promise<void> {
  if (!existsSync(resolve(dataDir, 'master-key')))
    throw new RoostError('NOT_FOUND', `${dataDir} is not a data folder of Roost. Name it with --data.`);
  if (existsSync(file)) throw new RoostError('ALREADY_EXISTS', `${file} is there already. Choose another name.`);
  mkdirSync(dirname(file), { recursive: true });
  const lock = lockDataFolder(dataDir, 'a backup');
  const draft = `${file}.part`;
  try {
    rmSync(draft, { force: true });
    // Before there is anything in it: tar keeps the mode of a file that is there.
    writeFileSync(draft, '', { mode: 0o600, flag: 'wx' });
    const exclusions = leftOut.map((path) => `--exclude=${path}`);
    await tar(['--create', '--gzip', '--sparse', ...exclusions, '--file', draft, '--directory', dataDir, '.']);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
    lock.release();
  }
}
