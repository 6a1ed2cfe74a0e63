import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { RoostError } from '#lib/contracts';
import { extract, type Header } from 'tar-stream';
import { type Entry, fromFd, type ZipFile } from 'yauzl';
import type { Finished } from '../streams/file-parts.js';
import type { WriteParts } from '../streams/streams.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Draft, Volume } from '../tree/volume.js';
import { handle } from '../tree/walk.js';
import { bad } from './link-check.js';
import { Staging } from './staging.js';

/** Takes an archive in parts and unpacks it below a directory: all of it, or nothing. */
export async function unpackParts(
  volume: Volume,
  path: string,
  format: 'tar.gz' | 'zip',
  overwrite: boolean,
): Promise<WriteParts<Finished>> {
  const to = parsePath(path);
  const draft = await volume.draft();
  return {
    async write(data) {
      await volume.capacity.take(data.length);
      await draft.file.appendFile(data);
    },
    finish: () => unpack(volume, to, format, overwrite, draft),
    close: () => volume.discard(draft),
  };
}

async function unpack(
  volume: Volume,
  to: Buffer[],
  format: 'tar.gz' | 'zip',
  overwrite: boolean,
  draft: Draft,
): Promise<Finished> {
  const { size } = await draft.file.stat();
  const staging = await Staging.open(volume, size);
  try {
    if (format === 'zip') await unzip(draft, staging);
    else await untar(draft, staging);
    await staging.publish(to, overwrite);
    return { path: absolute(to), size: staging.bytes, createdAt: new Date(), etag: null, files: staging.files };
  } catch (error) {
    throw isOurs(error) ? error : bad('it is damaged, or in another format');
  } finally {
    await staging.close();
  }
}

/** Errors of the file system (a full volume) and our own are passed on; the rest comes from the archive's bytes. */
function isOurs(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof RoostError || ['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'EIO', 'EACCES'].includes(code);
}

async function untar(draft: Draft, staging: Staging): Promise<void> {
  const tar = extract();
  const fed = pipeline(createReadStream(handle(draft.file.fd)), createGunzip(), tar);
  fed.catch(() => undefined); // reported below
  for await (const entry of tar) {
    await addTarEntry(entry.header, entry as AsyncIterable<Buffer>, staging);
    entry.resume();
  }
  await fed;
}

async function addTarEntry(header: Header, content: AsyncIterable<Buffer>, staging: Staging): Promise<void> {
  switch (header.type) {
    case 'directory':
      return staging.addDirectory(header.name);
    case 'file':
    case 'contiguous-file':
      return staging.addFile(header.name, header.mode ?? 0o644, content);
    case 'symlink':
      return staging.addLink(header.name, header.linkname ?? '');
    default:
      throw bad(`"${header.name.slice(0, 200)}" is a ${header.type ?? 'thing of unknown kind'}, which is not taken`);
  }
}

async function unzip(draft: Draft, staging: Staging): Promise<void> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    // yauzl's own checks refuse absolute paths, backslashes and `..`; ours are made again for every entry.
    fromFd(
      draft.file.fd,
      { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true },
      (error, opened) => (error ? reject(error) : resolve(opened)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    zip.once('error', reject);
    zip.once('end', resolve);
    zip.on('entry', (entry: Entry) => {
      addZipEntry(zip, entry, staging).then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });
}

const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;

async function addZipEntry(zip: ZipFile, entry: Entry, staging: Staging): Promise<void> {
  const mode = entry.externalFileAttributes >>> 16;
  if (entry.fileName.endsWith('/')) return staging.addDirectory(entry.fileName);
  if (entry.isEncrypted()) throw bad('it is encrypted');
  if ((mode & S_IFMT) === S_IFLNK) throw bad(`"${entry.fileName}" is a link, which is not taken from a zip`);
  const content = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  return staging.addFile(entry.fileName, mode === 0 ? 0o644 : mode, content);
}
