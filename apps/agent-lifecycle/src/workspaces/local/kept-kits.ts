import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** How often a service that runs notes that it has its kit. */
const notedEveryMs = 60 * 60_000;

/** A kit that nobody noted for so long is no running service's. */
const unusedMs = 24 * notedEveryMs;

/**
 * Removes the kits beside this one that no running service has, each as large as Node, and keeps this one from being
 * removed for as long as the process runs. Safe beside a service of another version on the same data folder, also one
 * that runs in a container with processes of its own: what counts are the times that services note at their kits. A
 * process that was suspended for a day may find its kit removed: then `onGone` is called.
 */
export function keepKit(kitFolder: string, onGone: () => void): void {
  removeUnused(kitFolder);
  const timer = setInterval(() => {
    if (noteKit(kitFolder)) return;
    clearInterval(timer);
    onGone();
  }, notedEveryMs).unref();
}

/** Notes that a running service has the kit. False when there is none. */
export function noteKit(kitFolder: string): boolean {
  const now = new Date();
  return ifThere(() => utimesSync(kitFolder, now, now));
}

function removeUnused(kitFolder: string): void {
  const kits = dirname(kitFolder);
  for (const name of readdirSync(kits)) {
    const folder = join(kits, name);
    if (name === basename(kitFolder)) continue;
    ifThere(() => {
      if (Date.now() - statSync(folder).mtimeMs < unusedMs) return;
      // Away in one step: a kit is whole or not there. What a running sandbox holds of it stays until the sandbox ends.
      const doomed = `${folder}.${process.pid}`;
      renameSync(folder, doomed);
      rmSync(doomed, { recursive: true, force: true });
    });
  }
}

function ifThere(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
