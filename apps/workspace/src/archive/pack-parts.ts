import { closeSync, constants, createReadStream, fstatSync, openSync, readlinkSync } from 'node:fs';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { RoostError, STREAM_PART_BYTES } from '#lib/contracts';
import { pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import type { ReadParts } from '../streams/streams.js';
import { openRoot } from '../tree/walk.js';
import { toShown, parsePath } from '../tree/path.js';
import { visit, type Visited } from '../tree/visit.js';
import type { Volume } from '../tree/volume.js';
import { atLocation } from '../tree/walk.js';

/** A subtree as an archive, packed while it is read. Special files are left out. Names are relative to the directory. */
export async function packParts(
  volume: Volume,
  path: string,
  format: 'tar.gz' | 'zip',
): Promise<{ parts: ReadParts; modifiedAt: Date }> {
  return atLocation(volume.root, parsePath(path), {}, ({ found, name }) => {
    if (!found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    const directory = openRoot(found.at);
    const packed = format === 'zip' ? zip(directory, name === undefined) : tarGz(directory, name === undefined);
    return { parts: partsOf(packed, () => closeSync(directory)), modifiedAt: found.stats.mtime };
  });
}

function tarGz(directory: number, isRoot: boolean): Readable {
  const tar = pack();
  const gzip = createGzip({ level: 6 });
  pipeline(tar, gzip, () => undefined); // a failure reaches the reader through the gzip stream
  void fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return gzip;

  async function fill(): Promise<void> {
    for (const entry of visit(directory, isRoot)) {
      const { names, stats, at } = entry;
      const header = { name: names.map(toShown).join('/'), mode: stats.mode & 0o777, mtime: stats.mtime };
      if (stats.isDirectory()) await written((done) => tar.entry({ ...header, type: 'directory' }, done));
      else if (stats.isSymbolicLink())
        await written((done) => tar.entry({ ...header, type: 'symlink', linkname: linkOf(at) }, done));
      else if (stats.isFile()) {
        const file = openFile(entry);
        if (!file) continue;
        await new Promise<void>((resolve, reject) => {
          const into = tar.entry({ ...header, size: file.size, type: 'file' }, (error) =>
            error ? reject(error) : resolve(),
          );
          pipe(file.size > 0 ? file.stream() : emptied(file), into).catch(reject);
        });
      }
    }
    tar.finalize();
  }
}

function zip(directory: number, isRoot: boolean): Readable {
  const archive = new ZipFile();
  const output = new PassThrough();
  archive.on('error', (error: Error) => output.destroy(error));
  pipeline(archive.outputStream, output, () => undefined);
  void fill().catch((error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))));
  return output;

  async function fill(): Promise<void> {
    for (const entry of visit(directory, isRoot)) {
      const name = entry.names.map(zipName).join('/');
      const options = { mtime: entry.stats.mtime, mode: entry.stats.mode };
      if (entry.stats.isDirectory()) archive.addEmptyDirectory(name, options);
      else if (entry.stats.isFile()) {
        const file = openFile(entry);
        if (!file) continue;
        // One file after the other: yazl would otherwise hold a handle for every file of the tree.
        const stream = file.size > 0 ? file.stream() : emptied(file);
        archive.addReadStream(stream, name, options);
        await new Promise((resolve) => stream.once('close', resolve));
      }
    }
    archive.end();
  }
}

/**
 * A zip holds text with forward slashes only: a name of other bytes, with a backslash or with control characters is
 * written with those as `%XX`.
 */
function zipName(name: Buffer): string {
  const shown = toShown(name);
  return shown.includes('\\')
    ? shown.replace(/\\x([0-9a-f]{2})|\\/g, (_, byte?: string) => `%${byte ?? '5c'}`.toUpperCase())
    : shown;
}

function written(write: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => write((error) => (error ? reject(error) : resolve())));
}

function linkOf(at: Buffer): string {
  try {
    return toShown(readlinkSync(at, { encoding: 'buffer' }));
  } catch {
    return ''; // replaced since it was listed
  }
}

function openFile({ at }: Visited): { fd: number; size: number; stream(): Readable } | undefined {
  let fd: number;
  try {
    fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = fstatSync(fd);
  if (!stats.isFile()) {
    closeSync(fd);
    return undefined;
  }
  // The size is in the header already: a file that grows meanwhile is cut there.
  return { fd, size: stats.size, stream: () => createReadStream('', { fd, start: 0, end: stats.size - 1 }) };
}

function emptied({ fd }: { fd: number }): Readable {
  closeSync(fd);
  const empty = new PassThrough();
  empty.end();
  return empty;
}

function partsOf(packed: Readable, release: () => void): ReadParts {
  const chunks = packed[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  return {
    async next() {
      const parts = [rest];
      let bytes = rest.length;
      while (bytes <= STREAM_PART_BYTES) {
        const { done, value } = await chunks.next();
        if (done) break;
        parts.push(value);
        bytes += value.length;
      }
      const all = Buffer.concat(parts);
      rest = all.subarray(STREAM_PART_BYTES);
      return { data: all.subarray(0, STREAM_PART_BYTES), isLast: rest.length === 0 };
    },
    close() {
      packed.destroy();
      release();
      return Promise.resolve();
    },
  };
}
