import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RoostError } from '#lib/contracts';
import { tar } from './tar.js';

/**
 * Unpacks a backup into a data folder that is not there yet or is empty; it appears whole or not at all.
 * Errors: NOT_FOUND (`file`), CONFLICT (the folder holds something), VALIDATION_ERROR (not a backup of Roost).
 */
export async function restore(file: string, dataDir: string): Promise<void> {
  if (!existsSync(file)) throw new RoostError('NOT_FOUND', `There is no ${file}. Name the backup with --from.`);
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw new RoostError('CONFLICT', `${dataDir} is not empty. Restore into a new folder with --data.`);
  const draft = `${dataDir}.restoring`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  mkdirSync(draft, { mode: 0o700 });
  try {
    await tar(['--extract', '--sparse', '--same-permissions', '--file', file, '--directory', draft]);
    if (!existsSync(join(draft, 'master-key')))
      throw new RoostError('VALIDATION_ERROR', `${file} is not a backup of a data folder.`);
    rmSync(dataDir, { recursive: true, force: true });
    renameSync(draft, dataDir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
