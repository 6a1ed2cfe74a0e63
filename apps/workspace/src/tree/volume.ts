import { randomBytes } from 'node:crypto';
import { constants, mkdirSync, openSync, readdirSync, rmSync, closeSync } from 'node:fs';
import { type FileHandle, open, rename, unlink, link } from 'node:fs/promises';
import { RESERVED } from './path.js';
import { below, openRoot, type Place } from './walk.js';

const drafts = 'drafts';

/** The agent's volume: the root handle every walk starts from, and a place for files that are not complete yet. */
export class Volume {
  readonly root: number;

  constructor(readonly path: string) {
    this.root = openRoot(path);
    // What an earlier daemon left half-written when it was killed.
    const folder = this.draftsFolder();
    try {
      for (const name of readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer' })) {
        rmSync(below(folder, name), { recursive: true, force: true });
      }
    } finally {
      closeSync(folder);
    }
  }

  /**
   * Writes a file nobody can see until it is complete, then puts it at `place` in one step.
   * With `overwrite` it replaces what is there; without, EEXIST. Nothing is left behind when `write` fails.
   */
  async publish(
    place: Place,
    overwrite: boolean,
    mode: number,
    write: (file: FileHandle) => Promise<void>,
  ): Promise<void> {
    const folder = this.draftsFolder();
    const draft = below(folder, randomBytes(12).toString('hex'));
    try {
      const file = await open(
        draft,
        constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      try {
        await write(file);
        await file.chmod(mode);
      } finally {
        await file.close();
      }
      if (overwrite) await rename(draft, place.at);
      else await link(draft, place.at);
      if (!overwrite) await unlink(draft);
    } catch (error) {
      await unlink(draft).catch(() => undefined);
      throw error;
    } finally {
      closeSync(folder);
    }
  }

  /** A handle of the folder for drafts, made anew if the agent's code removed or replaced it. The caller closes it. */
  private draftsFolder(): number {
    const own = openOrMake(this.root, RESERVED);
    try {
      return openOrMake(own, drafts);
    } finally {
      closeSync(own);
    }
  }

  /** A handle of the daemon's own folder. The caller closes it. */
  ownFolder(): number {
    return openOrMake(this.root, RESERVED);
  }
}

function openOrMake(directory: number, name: string): number {
  const at = below(directory, name);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    return openSync(at, flags);
  } catch {
    // Absent, or something else in its place: the name is ours, so it is removed.
    rmSync(at, { recursive: true, force: true });
    mkdirSync(at, { mode: 0o700 });
    return openSync(at, flags);
  }
}
