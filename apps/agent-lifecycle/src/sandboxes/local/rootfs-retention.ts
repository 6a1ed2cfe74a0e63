import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** How often a service that runs notes that it has its rootfs. */
const notedEveryMs = 60 * 60_000;

/** A rootfs that nobody noted for so long is no running service's. */
const unusedMs = 24 * notedEveryMs;

/**
 * Keeps a rootfs from being removed until the returned function is called or the process ends. A process that was suspended
 * for a day may find it removed: then `onGone` is called.
 */
export function retainRootfs(rootfsFolder: string, onGone: () => void): () => void {
  const stop = () => clearInterval(timer);
  const timer = setInterval(() => {
    if (noteRootfsUse(rootfsFolder)) return;
    stop();
    onGone();
  }, notedEveryMs).unref();
  return stop;
}

/** Notes that a running service has the rootfs. False: there is none, or it is not ours; making it tells which. */
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
 * times that services note at their rootfs folders.
 */
export function removeUnusedRootfs(rootfsFolder: string): void {
  const folders = dirname(rootfsFolder);
  for (const name of readdirSync(folders)) {
    const folder = join(folders, name);
    if (name === basename(rootfsFolder)) continue;
    try {
      if (Date.now() - statSync(folder).mtimeMs < unusedMs) continue;
      // Away in one step: a rootfs is whole or not there. What a running sandbox holds of it stays until the sandbox ends.
      const doomed = `${folder}.${process.pid}`;
      renameSync(folder, doomed);
      rmSync(doomed, { recursive: true, force: true });
    } catch (error) {
      const isAway = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isAway) throw error; // else another service removes it at this moment
    }
  }
}
