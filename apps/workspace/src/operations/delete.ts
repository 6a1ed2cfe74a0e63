import { type deletePaths as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';
import { outcomeOf } from './transfer.js';

/** Deletes files and directories, a directory that is not empty only with `recursive`. */
export async function deletePaths(
  volume: Volume,
  { paths, recursive }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const results = [];
  for (const path of paths) results.push({ path, ...(await outcomeOf(() => remove(volume, path, recursive))) });
  return { results };
}

function remove(volume: Volume, path: string, recursive: boolean): Promise<void> {
  const names = parsePath(path);
  return atLocation(volume.root, names, { followLast: false }, async (location) => {
    if (!location.found) throw new RoostError('NOT_FOUND', 'no such file or directory');
    if (location.found.stats.isDirectory() && !recursive)
      throw new RoostError('CONFLICT', 'is a directory; use recursive to delete it with what is in it');
    await volume.remove(location);
    volume.tags.deleted(absolute(names));
  });
}
