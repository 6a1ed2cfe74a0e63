import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { RoostError, STREAM_PART_BYTES } from '#lib/contracts';
import { regularFile } from '../files/read-file.js';
import { etagOf } from '../tree/etag.js';
import { parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';
import type { ReadParts } from './streams.js';

/** A file's bytes in parts, of the file as it is now: up to its present size, and of its present inode. */
export async function readFileParts(
  volume: Volume,
  path: string,
  offset: number,
  length: number | undefined,
): Promise<{ parts: ReadParts; size: number; etag: string; modifiedAt: Date }> {
  return atPlace(volume.root, parsePath(path), {}, async (place) => {
    const { at, stats } = regularFile(place);
    if (offset > stats.size)
      throw new RoostError('RANGE_NOT_SATISFIABLE', `the file has only ${stats.size} bytes`, [
        { field: 'offset', reason: 'out_of_range' },
      ]);
    const file = await open(at, constants.O_RDONLY);
    const end = Math.min(stats.size, length === undefined ? stats.size : offset + length);
    let position = offset;
    const parts: ReadParts = {
      async next() {
        const data = Buffer.allocUnsafe(Math.min(STREAM_PART_BYTES, end - position));
        const { bytesRead } = data.length === 0 ? { bytesRead: 0 } : await file.read(data, 0, data.length, position);
        // The length was promised to the reader when the transfer began.
        if (bytesRead < data.length)
          throw new RoostError('CONFLICT', 'the file became shorter while it was read; read it again');
        position += bytesRead;
        return { data, isLast: position >= end };
      },
      close: () => file.close(),
    };
    return { parts, size: stats.size, etag: etagOf(stats), modifiedAt: stats.mtime };
  });
}
