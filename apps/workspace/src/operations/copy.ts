import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { type copyFiles as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { makeParents } from '../directories/make-parents.js';
import { copyRange } from '../files/patch-file.js';
import { regularFile } from '../files/read-file.js';
import { replaceFile } from '../files/replace-file.js';
import { absolute, parsePath } from '../tree/path.js';
import { removeTree } from '../tree/remove-tree.js';
import type { Volume } from '../tree/volume.js';
import { atPlace, below, handle } from '../tree/walk.js';
import { outcomeOf } from './each.js';
import { assertApart } from './move.js';

type Transfer = z.output<typeof contract.input>['operations'][number];

const maxDepth = 256;

/** Copies files, and directories with all that is in them; special files are left out. A copy appears when complete. */
export async function copyFiles(
  volume: Volume,
  { operations }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const results = [];
  for (const operation of operations) {
    const { source, destination } = operation;
    results.push({ source, destination, ...(await outcomeOf(() => copy(volume, operation))) });
  }
  return { results };
}

function copy(volume: Volume, { source, destination, overwrite }: Transfer): Promise<unknown> {
  const [from, to] = [parsePath(source), parsePath(destination)];
  assertApart(from, to);
  return atPlace(volume.root, from, {}, async (place) => {
    if (!place.found) throw new RoostError('NOT_FOUND', 'no such file or directory');
    if (place.found.stats.isDirectory()) return copyDirectory(volume, place.found.fd, to, overwrite);
    const { at, stats } = regularFile(place);
    const written = await replaceFile(volume, destination, { overwrite }, (draft) =>
      copyContent(at, stats.size, draft),
    );
    volume.tags.set(absolute(to), volume.tags.of(absolute(from)));
    return written;
  });
}

async function copyContent(at: string, size: number, to: FileHandle): Promise<void> {
  const file = await open(at, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    await copyRange(file, to, 0, size);
  } finally {
    await file.close();
  }
}

function copyDirectory(volume: Volume, source: number, to: Buffer[], overwrite: boolean): Promise<void> {
  return atPlace(volume.root, to, { followLast: false, allowMissing: true }, (place) =>
    volume.withDrafts(async (folder) => {
      if (!place.name) throw new RoostError('ALREADY_EXISTS', 'the destination is the workspace itself');
      if (place.found && !overwrite)
        throw new RoostError('ALREADY_EXISTS', 'the destination exists already; use overwrite to replace it');
      const draft = randomBytes(12).toString('hex');
      try {
        await copyTree(source, folder, Buffer.from(draft), 0);
        const target = makeParents(place);
        try {
          if (place.found) await volume.remove(place);
          renameSync(below(folder, draft), target.place.at);
        } finally {
          target.close();
        }
      } catch (error) {
        await removeTree(folder, draft).catch(() => undefined);
        throw error;
      }
    }),
  );
}

async function copyTree(source: number, into: number, name: Buffer, depth: number): Promise<void> {
  if (depth > maxDepth) throw new RoostError('VALIDATION_ERROR', `source: more than ${maxDepth} directories deep`);
  const at = below(into, name);
  mkdirSync(at, { mode: 0o700 });
  const target = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    for (const child of readdirSync(handle(source), { encoding: 'buffer' })) {
      const childAt = below(source, child);
      const stats = lstatSync(childAt);
      if (stats.isSymbolicLink()) symlinkSync(readlinkSync(childAt, { encoding: 'buffer' }), below(target, child));
      else if (stats.isDirectory()) await copyBelow(childAt, target, child, depth);
      else if (stats.isFile()) await copyFile(childAt, below(target, child), stats.mode & 0o777);
    }
  } finally {
    closeSync(target);
  }
}

async function copyBelow(at: Buffer, target: number, name: Buffer, depth: number): Promise<void> {
  const fd = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await copyTree(fd, target, name, depth + 1);
  } finally {
    closeSync(fd);
  }
}

async function copyFile(from: Buffer, to: Buffer, mode: number): Promise<void> {
  // No-follow and non-blocking: it may have become a link or a FIFO since it was listed.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(source.fd);
    const target = await open(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      await copyRange(source, target, 0, size);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
