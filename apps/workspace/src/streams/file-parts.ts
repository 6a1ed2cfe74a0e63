import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type finishWriteStream, RoostError, STREAM_PART_BYTES } from '#lib/contracts';
import type { z } from 'zod';
import { applyPatch, copyRange, type Patch } from '../files/patch-file.js';
import { regularFile } from '../files/read-file.js';
import { checkTarget, type Expectations, publishFile } from '../files/replace-file.js';
import { parsePath } from '../tree/path.js';
import { etagOf } from '../tree/stats.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';
import type { ReadParts, WriteParts } from './streams.js';

/** What a finished transfer into the workspace has made. */
export type Finished = z.output<typeof finishWriteStream.output>;

/** A file's bytes in parts, of the file as it is now: up to its present size, and of its present inode. */
export async function readFileParts(
  volume: Volume,
  path: string,
  offset: number,
  length: number | undefined,
): Promise<{ parts: ReadParts; size: number; etag: string; modifiedAt: Date }> {
  return atLocation(volume.root, parsePath(path), {}, async (location) => {
    const { at, stats } = regularFile(location);
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

/** A file written in parts, seen when it is complete. */
export async function writeFileParts(
  volume: Volume,
  path: string,
  expected: Expectations,
): Promise<WriteParts<Finished>> {
  await checkTarget(volume, path, expected);
  const draft = await volume.draft();
  return {
    async write(data) {
      await volume.capacity.take(data.length);
      await draft.file.appendFile(data);
    },
    async finish() {
      const { path: written, size, createdAt, etag } = await publishFile(volume, path, expected, draft);
      return { path: written, size, createdAt, etag, files: 1 };
    },
    close: () => volume.discard(draft),
  };
}

/** A patch whose content comes in parts; the file changes when all of it is there. */
export async function patchFileParts(volume: Volume, patch: Patch): Promise<WriteParts<Finished>> {
  await checkTarget(volume, patch.path, { overwrite: true, mustExist: true, ifMatch: patch.ifMatch });
  const draft = await volume.draft();
  return {
    async write(data) {
      await volume.capacity.take(data.length);
      await draft.file.appendFile(data);
    },
    async finish() {
      const { size } = await draft.file.stat();
      const copyTo = (file: typeof draft.file, position: number) => copyRange(draft.file, file, 0, size, position);
      return { ...(await applyPatch(volume, patch, { size, copyTo })), files: 1 };
    },
    close: () => volume.discard(draft),
  };
}
