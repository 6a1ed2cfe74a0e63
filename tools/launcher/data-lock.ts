import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RoostError } from '#lib/contracts/errors';
import { processIdentity } from './process-identity.js';

interface LockContent {
  pid: number;
  identity: string;
  url: string;
}

export interface DataLock {
  release(): void;
}

/**
 * Makes this process the only launcher of a data folder. The lock of a process that no longer runs (kill -9, power cut,
 * a pid reused since) is taken over.
 * Errors: CONFLICT, naming the process and URL that hold the folder.
 * Not promised: exclusion between machines that share the folder over a network.
 */
export function lockDataFolder(dataDir: string, url: string): DataLock {
  const path = join(dataDir, 'roost.lock');
  const draft = join(dataDir, `roost.lock.${process.pid}.${randomUUID()}`);
  const content: LockContent = { pid: process.pid, identity: processIdentity(process.pid) ?? '', url };
  // A hard link appears with its whole content or not at all, so nobody reads a half-written lock.
  writeFileSync(draft, JSON.stringify(content));
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      removeIfStale(dataDir, path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function removeIfStale(dataDir: string, path: string): void {
  const holder = readLock(path);
  if (holder && processIdentity(holder.pid) === holder.identity) {
    throw new RoostError(
      'CONFLICT',
      `The data folder ${dataDir} is in use by Roost at ${holder.url} (process ${holder.pid}). Stop it, or choose another folder with --data.`,
    );
  }
  // Moved aside and looked at again: another launcher may have replaced the stale lock since we read it.
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else removed it; the caller tries again
  }
  const removed = readLock(aside);
  if (removed && removed.identity !== holder?.identity) linkSync(aside, path);
  rmSync(aside);
}

function readLock(path: string): LockContent | undefined {
  try {
    const { pid, identity, url } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LockContent>;
    return typeof pid === 'number' && typeof identity === 'string' ? { pid, identity, url: url ?? '' } : undefined;
  } catch {
    return undefined; // gone, or emptied by a power cut: nobody can be holding it
  }
}
