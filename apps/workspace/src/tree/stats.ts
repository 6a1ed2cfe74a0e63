import type { Stats } from 'node:fs';
import type { DirectoryEntry } from '#lib/contracts';
import type { z } from 'zod';

/** Changes whenever a file's content does: each replacement is a new inode, each append another size and time. */
export function etagOf({ ino, size, mtimeMs }: Stats): string {
  return [ino, size, Math.round(mtimeMs * 1_000)].map((part) => part.toString(36)).join('-');
}

/** What kind of file the API calls it. */
export function typeOf(stats: Stats): z.output<typeof DirectoryEntry>['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
