import { accessSync, chmodSync, chownSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RoostError } from '#lib/contracts/errors';
import { postgresIds } from './postgres-user.js';

/** What a first start that was killed may leave, drafts included. */
const ours = /^(api-key|profile\.json|master-key|postgres-password|roost\.lock|postgres|nats|logs)(\.|$)/;
/** Found in the root of a file system, and what a desktop leaves behind. */
const harmless = new Set(['lost+found', '.DS_Store']);

/** The marks of a data folder: with one of these, whatever lies beside it is the user's business. */
const marks = ['master-key', 'postgres-password', 'postgres'];

/**
 * Makes the data folder when it is missing, and closes it to other users, one from an earlier version too.
 * Errors: VALIDATION_ERROR, in one line, when it is a file, cannot be written, or holds something that is not Roost's.
 */
export function openDataFolder(dataDir: string, { hasPostgres }: { hasPostgres: boolean }): void {
  try {
    makeFolder(dataDir);
    if (!statSync(dataDir).isDirectory()) throw refusal(dataDir, 'is not a folder');
    const names = readdirSync(dataDir);
    if (!marks.some((mark) => names.includes(mark))) {
      const foreign = names.find((name) => !ours.test(name) && !harmless.has(name));
      if (foreign !== undefined)
        throw refusal(dataDir, `holds files that are not Roost's ("${foreign}"): it takes an empty one`);
    }
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    close(dataDir, hasPostgres);
    mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
    chmodSync(join(dataDir, 'logs'), 0o700);
  } catch (error) {
    if (error instanceof RoostError) throw error;
    throw refusal(dataDir, why(error));
  }
}

/** Step by step: Node's own recursive way never returns where a file system refuses with "no such file", as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder, { mode: 0o700 });
}

/**
 * For its owner alone. As root, PostgreSQL runs as a user of its own, which walks through it by its group: a folder
 * below it belongs to that user, and is all of it that the group can enter.
 */
function close(dataDir: string, hasPostgres: boolean): void {
  const ids = hasPostgres && process.getuid?.() === 0 ? postgresIds() : undefined;
  if (ids) chownSync(dataDir, 0, ids.gid);
  chmodSync(dataDir, ids ? 0o710 : 0o700);
}

function why(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const reasons: Record<string, string> = {
    EEXIST: 'is not a folder',
    ENOTDIR: 'lies in something that is not a folder',
    EACCES: 'may not be written by this user',
    EPERM: 'may not be written by this user',
    EROFS: 'lies on a file system that cannot be written',
    ENOSPC: 'lies on a file system that is full',
    ENOENT: 'cannot be made there',
  };
  return reasons[code] ?? `cannot be used (${code})`;
}

function refusal(dataDir: string, reason: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `The data folder ${dataDir} ${reason}. Choose another with --data.`);
}
