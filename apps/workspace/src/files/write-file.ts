import { type writeFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { makeParents } from '../directories/make-parents.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;

/** Creates or replaces a file in one step; its parents are made. A replaced file keeps its permissions. */
export function writeFile(volume: Volume, { path, content, encoding, overwrite }: Input): Promise<Output> {
  const names = parsePath(path);
  const bytes = decode(content, encoding);
  return atPlace(volume.root, names, { allowMissing: true }, async (place) => {
    const target = makeParents(place);
    try {
      const present = target.place.found?.stats;
      if (!target.place.name || present?.isDirectory())
        throw new RoostError('VALIDATION_ERROR', 'path: is a directory, not a file');
      if (present && !overwrite)
        throw new RoostError('ALREADY_EXISTS', 'the file exists already; use overwrite to replace it');
      if (present && !present.isFile()) throw new RoostError('ACCESS_DENIED', 'the path is not a regular file');
      await volume.publish(target.place, overwrite, (present?.mode ?? 0o644) & 0o777, (file) => file.writeFile(bytes));
      return { path: absolute(names), size: bytes.length, createdAt: new Date() };
    } finally {
      target.close();
    }
  });
}

/** Errors: VALIDATION_ERROR when the text is not base64. */
export function decode(content: string, encoding: 'utf-8' | 'base64'): Buffer {
  if (encoding === 'utf-8') return Buffer.from(content, 'utf8');
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(content)) {
    throw new RoostError('VALIDATION_ERROR', 'content: is not base64', [{ field: 'content', reason: 'not_base64' }]);
  }
  return Buffer.from(content, 'base64');
}
