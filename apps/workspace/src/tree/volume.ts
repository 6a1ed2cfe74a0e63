import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { RoostError } from '#lib/contracts';
import { fsError } from './fs-error.js';
import { RESERVED } from './path.js';
import { removeTree } from './remove-tree.js';
import { boundByFileSystem, isVolumeFull, type Capacity } from './capacity.js';
import { Tags } from './tags.js';
import { below, openRoot, type Location } from './walk.js';

const drafts = 'drafts';

/** The agent's volume: the root handle every walk starts from, and a folder for what is not complete yet. */
export class Volume {
  readonly root: number;
  readonly locks = new Locks();
  readonly tags = new Tags(() => this.ownFolder());

  constructor(
    path: string,
    readonly capacity: Capacity = boundByFileSystem,
  ) {
    this.root = openRoot(path);
  }

  /** Deletes what an earlier daemon left half-written or half-deleted when it was killed. */
  async sweep(): Promise<void> {
    try {
      await this.withDrafts(async (folder) => {
        for (const name of readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer' }))
          await removeTree(folder, name);
      });
    } catch (error) {
      // Without the folder there is nothing to sweep, and what is in a full volume must stay within reach.
      if (!isVolumeFull(error)) throw error;
    }
  }

  /** Begins a file that nobody sees until `publish`. */
  async draft(): Promise<Draft> {
    return this.withDrafts(async (folder) => {
      const name = randomBytes(12).toString('hex');
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      return { name, file: await open(below(folder, name), flags, 0o600) };
    });
  }

  /** Moves a draft to its location in one step. With `overwrite` it replaces what is there; without, EEXIST. */
  publish({ name, file }: Draft, location: Location, overwrite: boolean, mode: number): Promise<void> {
    return this.withDrafts(async (folder) => {
      await file.chmod(mode);
      const at = below(folder, name);
      if (overwrite) return rename(at, location.at);
      await link(at, location.at);
      await unlink(at);
    });
  }

  /** Closes a draft and forgets it, unless it was published. */
  async discard({ name, file }: Draft): Promise<void> {
    await file.close();
    await this.withDrafts((folder) => {
      try {
        unlinkSync(below(folder, name));
      } catch {
        return; // published: it has another name now
      }
    });
  }

  /** Makes what is at a location vanish in one step, then deletes it, whatever its size. */
  async remove(location: Location): Promise<void> {
    if (!location.name) throw new RoostError('ACCESS_DENIED', 'the workspace itself cannot be deleted');
    const { name, directory } = location;
    try {
      await this.withDrafts(async (folder) => {
        const removed = randomBytes(12).toString('hex');
        renameSync(location.at, below(folder, removed));
        await removeTree(folder, removed);
      });
    } catch (error) {
      if (!isVolumeFull(error)) throw error;
      // Not even a name fits in: what is to free space is deleted where it is, though not in one step.
      await removeTree(directory, name);
    }
  }

  /** Gives `use` a handle of the folder for drafts, made anew if the agent's code removed or replaced it. */
  async withDrafts<T>(use: (folder: number) => T | Promise<T>): Promise<T> {
    const own = this.ownFolder();
    let folder: number;
    try {
      folder = openOrMake(own, drafts);
    } finally {
      closeSync(own);
    }
    try {
      return await use(folder);
    } catch (error) {
      throw fsError(error);
    } finally {
      closeSync(folder);
    }
  }

  /** A handle of the daemon's own folder. The caller closes it. */
  ownFolder(): number {
    return openOrMake(this.root, RESERVED);
  }
}

/** Runs pieces of work with the same key one after the other, so that "check, then replace" is one step for the API. */
class Locks {
  private readonly tails = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.tails.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.tails.get(key) === turn) this.tails.delete(key);
    }
  }
}

export interface Draft {
  name: string;
  file: FileHandle;
}

function openOrMake(directory: number, name: string): number {
  const at = below(directory, name);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return openSync(at, flags);
    } catch (error) {
      if (attempt === 3) throw error;
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // Something else is there: the name is ours, so it is moved out of the way.
      if (code !== 'ENOENT') renameSync(at, below(directory, `${name}.${randomBytes(4).toString('hex')}`));
      mkdirSync(at, { mode: 0o700 });
    }
  }
}
