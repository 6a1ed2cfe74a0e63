import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fsError } from './fs-error.js';
import { isVolumeFull } from './capacity.js';
import { below } from './walk.js';

const file = 'tags.json';
const maxBytes = 4 * 1024 * 1024;

/**
 * Tags of files, by path, in a small index in the daemon's own folder of the volume. They follow moves and deletions
 * made by the API; those made by the agent's commands are not known.
 */
export class Tags {
  constructor(
    /** A handle of that folder, to be closed by whoever asked for it. */
    private readonly ownFolder: () => number,
  ) {}

  of(path: string): string[] {
    return this.read()[path] ?? [];
  }

  set(path: string, tags: string[]): void {
    const all = this.read();
    if (tags.length > 0) all[path] = tags;
    else delete all[path];
    this.write(all);
  }

  moved(from: string, to: string): void {
    this.rewrite(from, (path) => to + path.slice(from.length));
  }

  deleted(path: string): void {
    this.rewrite(path, () => undefined);
  }

  private rewrite(below: string, rename: (path: string) => string | undefined): void {
    const all = this.read();
    const affected = Object.keys(all).filter((path) => path === below || path.startsWith(`${below}/`));
    if (affected.length === 0) return;
    for (const path of affected) {
      const tags = all[path];
      delete all[path];
      const renamed = rename(path);
      if (renamed !== undefined && tags) all[renamed] = tags;
    }
    try {
      this.write(all);
    } catch (error) {
      // The file is moved or deleted already: tags that stay behind in a full volume do not make that a failure.
      if (!isVolumeFull(fsError(error))) throw error;
    }
  }

  private read(): Record<string, string[]> {
    const folder = this.ownFolder();
    try {
      const fd = openSync(below(folder, file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        return parse(readFileSync(fd, 'utf8'));
      } finally {
        closeSync(fd);
      }
    } catch {
      return {}; // none yet, or the agent's code spoilt it: tags are a convenience, not a truth to fail for
    } finally {
      closeSync(folder);
    }
  }

  private write(all: Record<string, string[]>): void {
    const text = JSON.stringify(all);
    if (text.length > maxBytes) return;
    const folder = this.ownFolder();
    try {
      const draft = below(folder, `${file}.new`);
      const fd = openSync(
        draft,
        constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
        0o600,
      );
      try {
        writeFileSync(fd, text);
      } finally {
        closeSync(fd);
      }
      renameSync(draft, below(folder, file));
    } finally {
      closeSync(folder);
    }
  }
}

function parse(text: string): Record<string, string[]> {
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null) return {};
  const entries = Object.entries(json).filter(
    (entry): entry is [string, string[]] => Array.isArray(entry[1]) && entry[1].every((tag) => typeof tag === 'string'),
  );
  return Object.fromEntries(entries);
}
