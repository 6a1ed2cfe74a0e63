import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** How often a running service marks its rootfs as used. */
const markedEveryMs = 60 * 60_000;

/** A rootfs that nobody marked for so long is no running service's. */
const unusedMs = 24 * markedEveryMs;

/**
 * Retains a rootfs until the returned function is called or the process ends. A process that was suspended
 * for a day may find it removed: then `onGone` is called.
 */
export function retainRootfs(rootfsFolder: string, onGone: () => void): () => void {
  const stop = () => clearInterval(timer);
  const timer = setInterval(() => {
    if (noteRootfsUse(rootfsFolder)) return;
    stop();
    onGone();
  }, markedEveryMs).unref();
  return stop;
}

/** Marks the rootfs as used by a running service. False: there is none, or it is not ours; making it finds out which. */
export function noteRootfsUse(rootfsFolder: string): boolean {
  const now = new Date();
  try {
    utimesSync(rootfsFolder, now, now);
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes the rootfs folders beside this one that no running service has, each as large as Node. Safe beside a service of another
 * version on the same data folder, also one that runs in a container with processes of its own: what counts are the
 * times at which services marked their rootfs folders.
 */
export function removeUnusedRootfs(rootfsFolder: string): void {
  const folders = dirname(rootfsFolder);
  for (const name of readdirSync(folders)) {
    const folder = join(folders, name);
    if (name === basename(rootfsFolder)) continue;
    try {
      if (Date.now() - statSync(folder).mtimeMs < unusedMs) continue;
      // Renamed in one step: a rootfs is whole or not there. What a running sandbox holds of it stays until the sandbox ends.
      const removed = `${folder}.${process.pid}`;
      renameSync(folder, removed);
      rmSync(removed, { recursive: true, force: true });
    } catch (error) {
      const isAway = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isAway) throw error; // else another service removes it at this moment
    }
  }
}
