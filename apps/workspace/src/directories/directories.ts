import { chmodSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import {
  type createDirectory as createContract,
  type deleteDirectory as deleteContract,
  RoostError,
} from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation, below, type Location } from '../tree/walk.js';

/** Makes a directory. `recursive` makes its parents, and takes one that is there already for done, as `mkdir -p`. */
export async function createDirectory(
  volume: Volume,
  { path, recursive, permissions }: z.output<typeof createContract.input>,
): Promise<z.output<typeof createContract.output>> {
  const names = parsePath(path);
  return atLocation(volume.root, names, { allowMissing: recursive }, (location) => {
    const isDirectory = location.found?.stats.isDirectory();
    if (location.found && !(recursive && isDirectory))
      throw new RoostError('ALREADY_EXISTS', 'it exists already', [{ field: 'path', reason: 'exists' }]);
    if (!location.found) {
      const target = makeParents(location);
      try {
        mkdirSync(target.location.at, { mode: 0o755 });
        // The mode of mkdir is cut by the umask; this is what was asked for.
        if (permissions !== undefined) chmodSync(target.location.at, parseInt(permissions, 8));
      } finally {
        target.close();
      }
    }
    return { path: absolute(names), createdAt: new Date() };
  });
}

/** Deletes a directory; with `recursive` whatever is in it, of any size, depth and permissions. */
export async function deleteDirectory(
  volume: Volume,
  { path, recursive }: z.output<typeof deleteContract.input>,
): Promise<z.output<typeof deleteContract.output>> {
  const names = parsePath(path);
  return atLocation(volume.root, names, { followLast: false }, async (location) => {
    if (!location.found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!location.found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    if (!location.name) throw new RoostError('ACCESS_DENIED', 'the workspace itself cannot be deleted');
    if (recursive) await volume.remove(location);
    else rmdirSync(location.at);
    volume.tags.deleted(absolute(names));
    return { path: absolute(names), deletedAt: new Date() };
  });
}

/** Makes the missing directories of a location, one below the other's handle. `close` gives up the handles it opened. */
export function makeParents(location: Location): { location: Location; close(): void } {
  if (location.missing.length === 0) return { location, close: () => undefined };
  const open: number[] = [];
  const close = () => open.forEach((fd) => closeSync(fd));
  try {
    let directory = location.directory;
    for (const name of location.missing.slice(0, -1)) {
      const at = below(directory, name);
      try {
        mkdirSync(at, { mode: 0o755 });
      } catch (error) {
        // Another call may have made it since the walk.
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      directory = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      open.push(directory);
    }
    const name = location.missing.at(-1) ?? location.name;
    return {
      location: {
        ...location,
        directory,
        name,
        at: name ? below(directory, name) : location.at,
        found: undefined,
        missing: [],
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
