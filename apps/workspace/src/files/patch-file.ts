import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type patchFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { etagOf } from '../tree/etag.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';
import { volumeFull } from '../tree/room.js';
import { regularFile } from './read-file.js';
import { checkMatch, replaceFile, type Written } from './replace-file.js';
import { decode } from './write-file.js';

type Input = z.output<typeof contract.input>;

const stepBytes = 1024 * 1024;

/** Changes a part of a file. A failure, a full volume too, leaves the old content. */
export async function patchFile(volume: Volume, input: Input): Promise<Written> {
  const { path, operation, content, encoding, position, length = 0, ifMatch } = input;
  const bytes = decode(content, encoding);
  if (operation === 'append') return append(volume, input, bytes);
  if (operation === 'replace' && position === undefined) {
    throw new RoostError('VALIDATION_ERROR', 'position: is required for replace', [
      { field: 'position', reason: 'required' },
    ]);
  }
  const from = operation === 'prepend' ? 0 : (position ?? 0);
  return replaceFile(volume, path, { overwrite: true, mustExist: true, ifMatch }, async (draft, present) => {
    if (!present) throw new RoostError('NOT_FOUND', 'no such file');
    if (from > present.stats.size)
      throw new RoostError('VALIDATION_ERROR', `position: the file has only ${present.stats.size} bytes`, [
        { field: 'position', reason: 'out_of_range' },
      ]);
    await volume.room.take(present.stats.size + bytes.length);
    const old = await open(present.at, constants.O_RDONLY);
    try {
      await copyRange(old, draft, 0, from);
      await draft.appendFile(bytes);
      await copyRange(old, draft, operation === 'prepend' ? 0 : from + length, present.stats.size);
    } finally {
      await old.close();
    }
  });
}

/** In place, so that a long log is not copied for each line; what a full volume left half-written is cut off again. */
function append(volume: Volume, { path, ifMatch }: Input, bytes: Buffer): Promise<Written> {
  const names = parsePath(path);
  return volume.locks.run(absolute(names), () =>
    atPlace(volume.root, names, {}, async (place) => {
      const { at, stats } = regularFile(place);
      checkMatch(stats, ifMatch);
      await volume.room.take(bytes.length);
      const file = await open(at, constants.O_WRONLY);
      try {
        await file.write(bytes, 0, bytes.length, stats.size).then(({ bytesWritten }) => {
          if (bytesWritten < bytes.length) throw volumeFull();
        });
        const after = await file.stat();
        return { path: absolute(names), size: after.size, createdAt: new Date(), etag: etagOf(after) };
      } catch (error) {
        await file.truncate(stats.size);
        throw error;
      } finally {
        await file.close();
      }
    }),
  );
}

/** Copies the bytes from `start` to `end` to the end of what the other file holds. */
export async function copyRange(from: FileHandle, to: FileHandle, start: number, end: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(stepBytes, end - start)));
  for (let at = start; at < end;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) return; // it shrank meanwhile
    await to.appendFile(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
