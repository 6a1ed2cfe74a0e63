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
import { copyRange } from '../files/patch-file.js';
import { regularFile } from '../files/read-file.js';
import { replaceFile } from '../files/replace-file.js';
import { absolute } from '../tree/path.js';
import { removeTree } from '../tree/remove-tree.js';
import type { Volume } from '../tree/volume.js';
import { below, handle } from '../tree/walk.js';
import { atDestination, type Transfer, transferEach } from './transfer.js';

const maxDepth = 256;

/** Copies files, and directories with all that is in them; special files are left out. A copy appears when complete. */
export function copyFiles(
  volume: Volume,
  input: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  return transferEach(volume, input, { followLast: true }, (transfer) => copy(volume, transfer));
}

async function copy(volume: Volume, { from, to, source, destination, overwrite }: Transfer): Promise<void> {
  if (source.found.stats.isDirectory()) return copyDirectory(volume, { source, to, overwrite });
  const { at, stats } = regularFile(source);
  await replaceFile(volume, destination, { overwrite }, (draft) => copyContent(volume, at, stats.size, draft));
  volume.tags.set(absolute(to), volume.tags.of(absolute(from)));
}

async function copyContent(volume: Volume, at: string, size: number, to: FileHandle): Promise<void> {
  await volume.capacity.take(size);
  const file = await open(at, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    await copyRange(file, to, 0, size);
  } finally {
    await file.close();
  }
}

function copyDirectory(
  volume: Volume,
  { source, to, overwrite }: Pick<Transfer, 'source' | 'to' | 'overwrite'>,
): Promise<void> {
  return volume.withDrafts(async (folder) => {
    const draft = randomBytes(12).toString('hex');
    try {
      await atDestination(volume, { source, to, overwrite }, async (target, present) => {
        await copyTree(volume, source.found.fd, folder, Buffer.from(draft), 0);
        if (present.found) await volume.remove(present);
        renameSync(below(folder, draft), target);
      });
    } catch (error) {
      await removeTree(folder, draft).catch(() => undefined);
      throw error;
    }
  });
}

async function copyTree(volume: Volume, source: number, into: number, name: Buffer, depth: number): Promise<void> {
  if (depth > maxDepth) throw new RoostError('VALIDATION_ERROR', `source: more than ${maxDepth} directories deep`);
  const at = below(into, name);
  mkdirSync(at, { mode: 0o700 });
  const target = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    for (const child of readdirSync(handle(source), { encoding: 'buffer' })) {
      const childAt = below(source, child);
      const stats = lstatSync(childAt);
      if (stats.isSymbolicLink()) symlinkSync(readlinkSync(childAt, { encoding: 'buffer' }), below(target, child));
      else if (stats.isDirectory()) await copyBelow(volume, childAt, target, child, depth);
      else if (stats.isFile()) await copyFile(volume, childAt, below(target, child), stats.mode & 0o777);
    }
  } finally {
    closeSync(target);
  }
}

async function copyBelow(volume: Volume, at: Buffer, target: number, name: Buffer, depth: number): Promise<void> {
  const fd = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await copyTree(volume, fd, target, name, depth + 1);
  } finally {
    closeSync(fd);
  }
}

async function copyFile(volume: Volume, from: Buffer, to: Buffer, mode: number): Promise<void> {
  // No-follow and non-blocking: it may have become a link or a FIFO since it was listed.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(source.fd);
    await volume.capacity.take(size);
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
