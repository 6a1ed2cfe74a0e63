import { type deleteFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';
import { checkMatch } from './replace-file.js';

/** Deletes a file; of a symbolic link the link itself, also one that leads nowhere or outside; sockets and FIFOs too. */
export async function deleteFile(
  volume: Volume,
  { path, ifMatch }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const names = parsePath(path);
  return volume.locks.run(absolute(names), () =>
    atPlace(volume.root, names, { followLast: false }, async (place) => {
      if (!place.found) throw new RoostError('NOT_FOUND', 'no such file');
      if (place.found.stats.isDirectory()) {
        throw new RoostError('VALIDATION_ERROR', 'path: is a directory; delete it through directories', [
          { field: 'path', reason: 'is_directory' },
        ]);
      }
      checkMatch(place.found.stats, ifMatch);
      await volume.remove(place);
      volume.tags.deleted(absolute(names));
      return { path: absolute(names), deletedAt: new Date() };
    }),
  );
}
