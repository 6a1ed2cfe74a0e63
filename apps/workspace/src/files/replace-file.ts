import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { RoostError } from '#lib/contracts';
import { makeParents } from '../directories/directories.js';
import { etagOf } from '../tree/stats.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Draft, Volume } from '../tree/volume.js';
import { atLocation, type Location } from '../tree/walk.js';

export interface Expectations {
  overwrite: boolean;
  mustExist?: boolean | undefined;
  ifMatch?: string | undefined;
}

export interface Written {
  path: string;
  size: number;
  createdAt: Date;
  etag: string;
}

/**
 * Puts new content at a path in one step. A replaced file keeps its permissions. What is expected of the present file
 * is checked, and the replacement made, while no other call of the API changes that path.
 * Errors: ALREADY_EXISTS, NOT_FOUND, PRECONDITION_FAILED, ACCESS_DENIED, INSUFFICIENT_STORAGE; then nothing has changed.
 */
export async function replaceFile(
  volume: Volume,
  path: string,
  expected: Expectations,
  write: (file: FileHandle, present: Location['found']) => Promise<void>,
): Promise<Written> {
  // Before anything is written: a body of a gigabyte should not travel for a path that is refused anyway.
  await checkTarget(volume, path, expected);
  const draft = await volume.draft();
  try {
    return await publishFile(volume, path, expected, draft, write);
  } finally {
    await volume.discard(draft);
  }
}

export async function publishFile(
  volume: Volume,
  path: string,
  expected: Expectations,
  draft: Draft,
  write?: (file: FileHandle, present: Location['found']) => Promise<void>,
): Promise<Written> {
  const names = parsePath(path);
  return volume.locks.run(absolute(names), () =>
    atLocation(volume.root, names, { allowMissing: true }, async (location) => {
      check(location, expected);
      await write?.(draft.file, location.found);
      const target = makeParents(location);
      try {
        const mode = (location.found?.stats.mode ?? 0o644) & 0o777;
        await volume.publish(draft, target.location, expected.overwrite || Boolean(expected.mustExist), mode);
      } finally {
        target.close();
      }
      const stats = await draft.file.stat();
      return { path: absolute(names), size: stats.size, createdAt: new Date(), etag: etagOf(stats) };
    }),
  );
}

/** The errors of `replaceFile`, without doing anything. */
export async function checkTarget(volume: Volume, path: string, expected: Expectations): Promise<void> {
  return atLocation(volume.root, parsePath(path), { allowMissing: true }, (location) => check(location, expected));
}

function check(location: Location, { overwrite, mustExist, ifMatch }: Expectations): void {
  const present = location.found?.stats;
  if (!location.name || present?.isDirectory())
    throw new RoostError('VALIDATION_ERROR', 'path: is a directory, not a file', [
      { field: 'path', reason: 'is_directory' },
    ]);
  if (present && !present.isFile())
    throw new RoostError('ACCESS_DENIED', 'the path is not a regular file', [
      { field: 'path', reason: 'special_file' },
    ]);
  if (!present && mustExist) throw new RoostError('NOT_FOUND', 'no such file');
  checkMatch(present, ifMatch);
  if (present && !overwrite && !mustExist)
    throw new RoostError('ALREADY_EXISTS', 'the file exists already; use overwrite to replace it', [
      { field: 'path', reason: 'exists' },
    ]);
}

/** Errors: PRECONDITION_FAILED when the file is not in the state the caller has seen. */
export function checkMatch(present: Stats | undefined, ifMatch: string | undefined): void {
  if (ifMatch === undefined || (present && (ifMatch === '*' || ifMatch === etagOf(present)))) return;
  throw new RoostError('PRECONDITION_FAILED', 'the file has changed since; read it again and repeat', [
    { field: 'if-match', reason: 'changed' },
  ]);
}
