import type { DirectoryEntry, Files } from '@roost-ai/sdk';
import { type Directory, directoriesAbove, EMPTY_TREE, inOrder, type TreeState } from './tree-state.js';

/** A directory with more is not read again by itself: that would be many requests for each thing that an agent does. */
const MAX_REFRESHED = 2_000;
/** One page holds as many, at most. */
const PAGE = 1_000;
const NEW: Directory = { entries: [], next: undefined, isLoading: true, error: undefined };

/** What was read of a workspace: a directory when it is opened, and page by page. */
export class TreeStore {
  private state: TreeState = EMPTY_TREE;
  private readonly listeners = new Set<() => void>();
  private end = new AbortController();

  constructor(private readonly files: Pick<Files, 'list'>) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly get = (): TreeState => this.state;

  open(...paths: string[]): void {
    const fresh = paths.filter((path) => !this.state.directories.has(path));
    this.set({ open: new Set([...this.state.open, ...paths]) });
    for (const path of fresh) void this.load(path);
  }

  /** Opens what is above a path. */
  reveal(path: string): void {
    this.open(...directoriesAbove(path));
  }

  close(path: string): void {
    this.set({ open: new Set([...this.state.open].filter((each) => each !== path)) });
  }

  /** The next page of a directory. */
  more(path: string): void {
    const known = this.state.directories.get(path);
    if (!known || known.isLoading || known.next === undefined) return;
    this.put(path, { ...known, isLoading: true, error: undefined });
    void this.read(path, known.next, 1).then((page) =>
      this.put(
        path,
        page.error ? { ...known, error: page.error } : { ...page, entries: [...known.entries, ...page.entries] },
      ),
    );
  }

  /** Reads a directory again, from its first page. */
  async load(path: string): Promise<void> {
    const known = this.state.directories.get(path);
    this.put(path, known ? { ...known, isLoading: true, error: undefined } : NEW);
    const pages = Math.max(1, Math.ceil((known?.entries.length ?? 0) / PAGE));
    const page = await this.read(path, undefined, pages);
    this.put(path, { ...page, entries: inOrder(page.entries, page.next === undefined && pages === 1) });
  }

  /** Something was made, moved here or away, or deleted: what is above it is read again, and shown. */
  changed(...paths: string[]): void {
    const isBelow = (each: string) => paths.some((path) => each === path || each.startsWith(`${path}/`));
    const { directories, open } = this.state;
    this.set({
      directories: new Map([...directories].filter(([path]) => !isBelow(path))),
      open: new Set([...open].filter((path) => !isBelow(path))),
    });
    const above = new Set(paths.flatMap(directoriesAbove));
    for (const path of above) if (directories.has(path)) void this.load(path);
    this.open(...above);
  }

  /** What may have changed: the directories that are open. */
  refresh(): void {
    for (const path of this.state.open) {
      const known = this.state.directories.get(path);
      if (known && !known.isLoading && known.entries.length <= MAX_REFRESHED) void this.load(path);
    }
  }

  /** Reads until the function that it gives is called. */
  start(): () => void {
    if (this.end.signal.aborted) {
      this.end = new AbortController();
      // What was asked for in between is not known.
      this.set({ directories: new Map() });
    }
    this.open(...this.state.open);
    return () => this.end.abort();
  }

  private async read(path: string, cursor: unknown, pages: number): Promise<Directory> {
    const { signal } = this.end;
    const entries: DirectoryEntry[] = [];
    let next = cursor;
    try {
      const listing = this.files.list(path, {}, { signal });
      for (let n = 0; n < pages && (n === 0 || next !== undefined); n += 1) {
        const page = await listing.page(next);
        entries.push(...page.items);
        next = page.next;
      }
      return { entries, next, isLoading: false, error: undefined };
    } catch (error) {
      return { entries, next, isLoading: false, error };
    }
  }

  private put(path: string, directory: Directory): void {
    if (this.end.signal.aborted) return;
    this.set({ directories: new Map(this.state.directories).set(path, directory) });
  }

  private set(change: Partial<TreeState>): void {
    this.state = { ...this.state, ...change };
    this.listeners.forEach((listener) => listener());
  }
}
