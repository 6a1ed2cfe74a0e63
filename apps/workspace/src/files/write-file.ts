import {
  type deleteFile as deleteContract,
  isBase64Text,
  RoostError,
  type writeFile as contract,
} from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';
import { checkMatch, replaceFile, type Written } from './replace-file.js';

/** Creates or replaces a file in one step; its parents are made. */
export async function writeFile(
  volume: Volume,
  { path, content, encoding, ...expected }: z.output<typeof contract.input>,
): Promise<Written> {
  const bytes = decode(content, encoding);
  return replaceFile(volume, path, expected, async (file) => {
    await volume.capacity.take(bytes.length);
    await file.writeFile(bytes);
  });
}

/** Deletes a file; of a symbolic link the link itself, also one that leads nowhere or outside; sockets and FIFOs too. */
export async function deleteFile(
  volume: Volume,
  { path, ifMatch }: z.output<typeof deleteContract.input>,
): Promise<z.output<typeof deleteContract.output>> {
  const names = parsePath(path);
  return volume.locks.run(absolute(names), () =>
    atLocation(volume.root, names, { followLast: false }, async (location) => {
      if (!location.found) throw new RoostError('NOT_FOUND', 'no such file');
      if (location.found.stats.isDirectory()) {
        throw new RoostError('VALIDATION_ERROR', 'path: is a directory; delete it through directories', [
          { field: 'path', reason: 'is_directory' },
        ]);
      }
      checkMatch(location.found.stats, ifMatch);
      await volume.remove(location);
      volume.tags.deleted(absolute(names));
      return { path: absolute(names), deletedAt: new Date() };
    }),
  );
}

/** Errors: VALIDATION_ERROR when the text is not base64. */
export function decode(content: string, encoding: 'utf-8' | 'base64'): Buffer {
  if (encoding === 'utf-8') return Buffer.from(content, 'utf8');
  if (!isBase64Text(content)) {
    throw new RoostError('VALIDATION_ERROR', 'content: is not base64', [{ field: 'content', reason: 'not_base64' }]);
  }
  return Buffer.from(content, 'base64');
}
