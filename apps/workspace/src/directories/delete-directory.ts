import { rmdirSync } from 'node:fs';
import { type deleteDirectory as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';

/** Deletes a directory; with `recursive` whatever is in it, of any size, depth and permissions. */
export async function deleteDirectory(
  volume: Volume,
  { path, recursive }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
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
