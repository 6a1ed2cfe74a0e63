import { closeSync, constants, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type readFile as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { etagOf } from '../tree/stats.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation, type Location } from '../tree/walk.js';

/** One answer must fit one bus message (1 MiB), base64 and JSON included. */
export const MAX_READ_BYTES = 512 * 1024;

/** So few are read without the thread pool, whose three trips a small read would mostly consist of. */
const READ_AT_ONCE_BYTES = 64 * 1024;

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;

/** Reads a file, or a part of it. The part's edges may cut a character: then UTF-8 is refused like any other bytes. */
export async function readFile(volume: Volume, { path, encoding, offset = 0, length }: Input): Promise<Output> {
  const names = parsePath(path);
  return atLocation(volume.root, names, {}, async (location) => {
    const { stats, at } = regularFile(location);
    const wanted = Math.min(length ?? Infinity, Math.max(0, stats.size - offset));
    if (wanted > MAX_READ_BYTES) throw tooLarge(stats.size);
    const bytes = wanted <= READ_AT_ONCE_BYTES ? readAtOnce(at, wanted, offset) : await readLater(at, wanted, offset);
    const content = encode(bytes, encoding);
    if (Buffer.byteLength(JSON.stringify(content)) > 900_000) throw tooLarge(stats.size);
    return {
      path: absolute(names),
      content,
      encoding,
      size: stats.size,
      modifiedAt: stats.mtime,
      etag: etagOf(stats),
    };
  });
}

function readAtOnce(at: string, length: number, offset: number): Buffer {
  const file = openSync(at, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
  } finally {
    closeSync(file);
  }
}

async function readLater(at: string, length: number, offset: number): Promise<Buffer> {
  const file = await open(at, constants.O_RDONLY);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What is at the location, if it is a file with content. Errors: NOT_FOUND, VALIDATION_ERROR (directory), ACCESS_DENIED (device, FIFO, socket). */
export function regularFile(location: Location): NonNullable<Location['found']> {
  const { found } = location;
  if (!found) throw new RoostError('NOT_FOUND', 'no such file');
  if (found.stats.isDirectory())
    throw new RoostError('VALIDATION_ERROR', 'path: is a directory, not a file', [
      { field: 'path', reason: 'is_directory' },
    ]);
  if (!found.stats.isFile())
    throw new RoostError('ACCESS_DENIED', 'the path is not a regular file', [
      { field: 'path', reason: 'special_file' },
    ]);
  return found;
}

function encode(bytes: Buffer, encoding: 'utf-8' | 'base64'): string {
  if (encoding === 'base64') return bytes.toString('base64');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RoostError('VALIDATION_ERROR', 'encoding: the file is not UTF-8 text; use base64', [
      { field: 'encoding', reason: 'not_utf8' },
    ]);
  }
}

function tooLarge(size: number): RoostError {
  return new RoostError(
    'PAYLOAD_TOO_LARGE',
    `the file has ${size} bytes, too many for one answer; read it in parts with offset and length`,
    [{ field: 'length', reason: 'too_large', max: MAX_READ_BYTES }],
  );
}
