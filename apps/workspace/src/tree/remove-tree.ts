import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, constants, openSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { below, handle } from './walk.js';

/**
 * Deletes everything below a name in a directory the daemon owns. Never follows a link. A subdirectory is first moved
 * to the top, so that neither the depth of the tree nor the length of its paths matters.
 */
export async function removeTree(directory: number, name: Buffer | string): Promise<void> {
  const pending: (Buffer | string)[] = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const at = below(directory, next);
    const fd = openDirectory(at);
    if (fd === undefined) {
      unlinkSync(at);
      continue;
    }
    try {
      // The agent's code may have taken its own rights away.
      chmodSync(handle(fd), 0o700);
      for await (const entry of await opendir(handle(fd), { encoding: 'buffer' as BufferEncoding, bufferSize: 256 })) {
        const child = below(fd, entry.name as unknown as Buffer);
        if (entry.isDirectory()) {
          const moved = randomBytes(12).toString('hex');
          renameSync(child, below(directory, moved));
          pending.push(moved);
        } else unlinkSync(child);
      }
    } finally {
      closeSync(fd);
    }
    rmdirSync(at);
  }
}

function openDirectory(at: Buffer): number | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    return openSync(at, flags);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    if (code !== 'EACCES') throw error;
    // A directory without read permission: the owner may give it back, but only to what is no link.
    const named = openSync(at, 0o10000000 | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      chmodSync(handle(named), 0o700);
    } finally {
      closeSync(named);
    }
    return openSync(at, flags);
  }
}
