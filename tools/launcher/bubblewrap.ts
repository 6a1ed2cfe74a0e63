import { spawnSync } from 'node:child_process';
import { findOrInstall, type Found } from './system-package.js';

/**
 * Finds or installs bubblewrap and tries it once. Its absence stops nothing here: agents then get an `error` state
 * that says why, and nothing runs without a sandbox.
 */
export async function findBubblewrap(progress: (line: string) => void): Promise<Found> {
  if (process.platform !== 'linux') {
    return { path: undefined, reason: 'bubblewrap needs Linux; agents cannot use files or commands on this system.' };
  }
  const found = await findOrInstall({ program: 'bwrap', packageName: 'bubblewrap' }, progress);
  if (found.path === undefined) return found;
  const trial = spawnSync(found.path, ['--unshare-all', '--ro-bind', '/', '/', '/bin/true'], { encoding: 'utf8' });
  if (trial.status === 0) return found;
  return { path: undefined, reason: `bubblewrap cannot make a sandbox here: ${(trial.stderr ?? '').trim()}` };
}
