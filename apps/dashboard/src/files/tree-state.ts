import type { DirectoryEntry } from '@roost-ai/sdk';

/** What is known of a directory, by pages. */
export interface Directory {
  entries: DirectoryEntry[];
  /** Where its next page begins; undefined at its end. */
  next: unknown;
  isLoading: boolean;
  error: unknown;
}

export interface TreeState {
  /** By path; the root's is empty. */
  directories: ReadonlyMap<string, Directory>;
  open: ReadonlySet<string>;
}

export type TreeRow =
  | { kind: 'entry'; key: string; path: string; entry: DirectoryEntry; depth: number; isOpen: boolean }
  /** Of a directory: it is loading, is empty, cannot be read, or has more. */
  | { kind: 'loading' | 'empty' | 'error' | 'more'; key: string; path: string; depth: number; error?: unknown };

export const EMPTY_TREE: TreeState = { directories: new Map(), open: new Set(['']) };

/** The lines of the tree: what is in the directories that are open. */
export function rowsOf({ directories, open }: TreeState): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (directory: string, depth: number) => {
    const known = directories.get(directory);
    const about = (kind: 'loading' | 'empty' | 'error' | 'more') =>
      rows.push({ kind, key: `${directory}/${kind}`, path: directory, depth, error: known?.error });
    for (const entry of known?.entries ?? []) {
      const path = joined(directory, entry.name);
      const isOpen = entry.type === 'directory' && open.has(path);
      rows.push({ kind: 'entry', key: path, path, entry, depth, isOpen });
      if (isOpen) add(path, depth + 1);
    }
    if (known?.error) about('error');
    else if (!known || (known.isLoading && known.entries.length === 0)) about('loading');
    else if (known.next !== undefined) about('more');
    else if (known.entries.length === 0) about('empty');
  };
  add('', 0);
  return rows;
}

/** Directories first, where all that is in it is known: what comes page by page stays where it was put. */
export function inOrder(entries: DirectoryEntry[], isWhole: boolean): DirectoryEntry[] {
  if (!isWhole) return entries;
  const rank = ({ type }: DirectoryEntry) => (type === 'directory' ? 0 : 1);
  return entries.toSorted((a, b) => rank(a) - rank(b));
}

export const joined = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`);

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `a/b/c` → `['', 'a', 'a/b']` */
export function directoriesAbove(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return ['', ...names.map((_, index) => names.slice(0, index + 1).join('/'))];
}
