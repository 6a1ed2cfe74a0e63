import type { Stats } from 'node:fs';

/** Changes whenever a file's content does: each replacement is a new inode, each append another size and time. */
export function etagOf({ ino, size, mtimeMs }: Stats): string {
  return [ino, size, Math.round(mtimeMs * 1_000)].map((part) => part.toString(36)).join('-');
}
