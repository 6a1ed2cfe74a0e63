import type { Files } from '@roost-ai/sdk';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';

/** Files that are on their way at once. */
const AT_ONCE = 4;

export interface CopiedFolder {
  files: number;
  bytes: number;
  /** Links and other things that are no files, and names that lead elsewhere. */
  skipped: string[];
}

/** Copies what is below a directory of an agent into a folder here, which is made. Files there of the same names are replaced. */
export async function copyFolder(files: Files, path: string, folder: string): Promise<CopiedFolder> {
  const copied: CopiedFolder = { files: 0, bytes: 0, skipped: [] };
  await mkdir(folder, { recursive: true });
  const entries = files.list(path, { recursive: true })[Symbol.asyncIterator]();
  const copyNext = async (): Promise<void> => {
    for (let next = await entries.next(); !next.done; next = await entries.next()) {
      const { name, type } = next.value;
      // The agent names its files: none of them leads out of the folder.
      if (name.split('/').some((part) => part === '' || part === '.' || part === '..') || type === 'symlink')
        copied.skipped.push(name);
      else if (type === 'directory') await mkdir(join(folder, name), { recursive: true });
      else
        copied.bytes += await copyFile(
          files,
          path === '' ? name : `${path.replace(/\/+$/, '')}/${name}`,
          join(folder, name),
        );
      if (type === 'file') copied.files += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, copyNext));
  return copied;
}

async function copyFile(files: Files, from: string, to: string): Promise<number> {
  await mkdir(dirname(to), { recursive: true });
  const { stream } = await files.download(from);
  const sink = createWriteStream(to);
  await pipeline(Readable.fromWeb(stream as NodeStream), sink);
  return sink.bytesWritten;
}
