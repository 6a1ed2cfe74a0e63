import { chmodSync, mkdirSync } from 'node:fs';
import { type createDirectory as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';
import { makeParents } from './make-parents.js';

/** Makes a directory. `recursive` makes its parents, and takes one that is there already for done, as `mkdir -p`. */
export async function createDirectory(
  volume: Volume,
  { path, recursive, permissions }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
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
