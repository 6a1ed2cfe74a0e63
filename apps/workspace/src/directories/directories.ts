import { chmodSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import {
  type createDirectory as createContract,
  type deleteDirectory as deleteContract,
  RoostError,
} from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace, below, type Place } from '../tree/walk.js';

/** Makes a directory. `recursive` makes its parents, and takes one that is there already for done, as `mkdir -p`. */
export async function createDirectory(
  volume: Volume,
  { path, recursive, permissions }: z.output<typeof createContract.input>,
): Promise<z.output<typeof createContract.output>> {
  const names = parsePath(path);
  return atPlace(volume.root, names, { allowMissing: recursive }, (place) => {
    const isDirectory = place.found?.stats.isDirectory();
    if (place.found && !(recursive && isDirectory))
      throw new RoostError('ALREADY_EXISTS', 'it exists already', [{ field: 'path', reason: 'exists' }]);
    if (!place.found) {
      const target = makeParents(place);
      try {
        mkdirSync(target.place.at, { mode: 0o755 });
        // The mode of mkdir is cut by the umask; this is what was asked for.
        if (permissions !== undefined) chmodSync(target.place.at, parseInt(permissions, 8));
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
  return atPlace(volume.root, names, { followLast: false }, async (place) => {
    if (!place.found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!place.found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    if (!place.name) throw new RoostError('ACCESS_DENIED', 'the workspace itself cannot be deleted');
    if (recursive) await volume.remove(place);
    else rmdirSync(place.at);
    volume.tags.deleted(absolute(names));
    return { path: absolute(names), deletedAt: new Date() };
  });
}

/** Makes the missing directories of a place, one below the other's handle. `close` gives up the handles it opened. */
export function makeParents(place: Place): { place: Place; close(): void } {
  if (place.missing.length === 0) return { place, close: () => undefined };
  const open: number[] = [];
  const close = () => open.forEach((fd) => closeSync(fd));
  try {
    let directory = place.directory;
    for (const name of place.missing.slice(0, -1)) {
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
    const name = place.missing.at(-1) ?? place.name;
    return {
      place: { ...place, directory, name, at: name ? below(directory, name) : place.at, found: undefined, missing: [] },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
