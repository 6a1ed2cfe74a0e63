import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { type DirectoryEntry, type listDirectory as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath, RESERVED, toShown } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace, below } from '../tree/walk.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;
type Entry = z.output<typeof DirectoryEntry>;

/**
 * One page of a directory, in the byte order of the names. The cursor is the last name given, so that a page is right
 * even when entries come and go between two calls.
 */
export function listDirectory(volume: Volume, { path, limit, cursor }: Input): Promise<Output> {
  const names = parsePath(path);
  return atPlace(volume.root, names, {}, (place) => {
    const { found } = place;
    if (!found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url');
    const all = readdirSync(found.at, { encoding: 'buffer' })
      .filter((name) => (place.name !== undefined || !name.equals(reserved)) && (!after || name.compare(after) > 0))
      .sort((a, b) => a.compare(b));
    const page = all.slice(0, limit);
    const last = page.at(-1);
    return {
      path: absolute(names),
      entries: page.flatMap((name) => entryOf(found.fd, name)),
      nextCursor: last && all.length > page.length ? last.toString('base64url') : null,
    };
  });
}

const reserved = Buffer.from(RESERVED);

function entryOf(directory: number, name: Buffer): Entry[] {
  let stats: Stats;
  try {
    stats = lstatSync(below(directory, name));
  } catch {
    return []; // removed since it was listed
  }
  return [{ name: toShown(name), type: typeOf(stats), size: stats.isFile() ? stats.size : 0, modifiedAt: stats.mtime }];
}

export function typeOf(stats: Stats): Entry['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
