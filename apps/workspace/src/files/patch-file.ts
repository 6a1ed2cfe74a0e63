import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type FilePatch, type patchFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { etagOf } from '../tree/stats.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';
import { volumeFull } from '../tree/capacity.js';
import { regularFile } from './read-file.js';
import { checkMatch, replaceFile, type Written } from './replace-file.js';
import { decode } from './write-file.js';

export interface Patch {
  path: string;
  operation: z.output<typeof FilePatch>['operation'];
  position?: number | undefined;
  length?: number | undefined;
  ifMatch?: string | undefined;
}

/** What a patch puts into a file. */
export interface PatchContent {
  size: number;
  copyTo(file: FileHandle, position: number): Promise<void>;
}

const stepBytes = 1024 * 1024;

/** Changes a part of a file. A failure, a full volume too, leaves the old content. */
export function patchFile(volume: Volume, input: z.output<typeof contract.input>): Promise<Written> {
  const bytes = decode(input.content, input.encoding);
  return applyPatch(volume, input, { size: bytes.length, copyTo: (file, position) => writeAll(file, bytes, position) });
}

/** Errors: VALIDATION_ERROR for a position that is missing or behind the end, NOT_FOUND, PRECONDITION_FAILED. */
export async function applyPatch(volume: Volume, patch: Patch, content: PatchContent): Promise<Written> {
  const { path, operation, position, length = 0, ifMatch } = patch;
  if (operation === 'append') return append(volume, patch, content);
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
    await volume.capacity.take(present.stats.size + content.size);
    const old = await open(present.at, constants.O_RDONLY);
    try {
      await copyRange(old, draft, 0, from);
      await content.copyTo(draft, from);
      const rest = operation === 'prepend' ? 0 : from + length;
      await copyRange(old, draft, rest, present.stats.size, from + content.size);
    } finally {
      await old.close();
    }
  });
}

/** In place, so that a long log is not copied for each line; what a full volume left half-written is cut off again. */
function append(volume: Volume, { path, ifMatch }: Patch, content: PatchContent): Promise<Written> {
  const names = parsePath(path);
  return volume.locks.run(absolute(names), () =>
    atLocation(volume.root, names, {}, async (location) => {
      const { at, stats } = regularFile(location);
      checkMatch(stats, ifMatch);
      await volume.capacity.take(content.size);
      const file = await open(at, constants.O_WRONLY);
      try {
        await content.copyTo(file, stats.size);
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

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    if (bytesWritten === 0) throw volumeFull();
    at += bytesWritten;
  }
}

/** Copies the bytes from `start` to `end` into another file, to `position` and on (default: where they were). */
export async function copyRange(
  from: FileHandle,
  to: FileHandle,
  start: number,
  end: number,
  position = start,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(stepBytes, end - start)));
  for (let at = start; at < end;) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) return; // it shrank meanwhile
    await writeAll(to, buffer.subarray(0, bytesRead), position + at - start);
    at += bytesRead;
  }
}
