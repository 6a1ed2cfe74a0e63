import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RoostError } from '#lib/contracts';

const run = promisify(execFile);

/**
 * GNU tar, since it keeps what a data folder has: holes of sparse images, owners by number, tags of files (xattr).
 * Errors: VALIDATION_ERROR with tar's own words.
 */
export async function tar(args: string[]): Promise<void> {
  try {
    await run('tar', ['--numeric-owner', '--xattrs', '--xattrs-include=user.*', ...args]);
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new RoostError('VALIDATION_ERROR', `tar failed: ${words.split('\n').slice(0, 3).join(' ')}`);
  }
}
