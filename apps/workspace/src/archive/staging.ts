import { closeSync, constants, mkdirSync, openSync, readdirSync, renameSync, symlinkSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { RoostError } from '#lib/contracts';
import { makeParents } from '../directories/directories.js';
import { fromShown, MAX_NAME_BYTES, MAX_PATH_BYTES, RESERVED, hasControlCharacter } from '../tree/path.js';
import { removeTree } from '../tree/remove-tree.js';
import type { Volume } from '../tree/volume.js';
import { atLocation, below, handle, openRoot } from '../tree/walk.js';
import { type ArchiveLink, LinkCheck, bad } from './link-check.js';

export const MAX_ENTRIES = 100_000;
export const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;
/** How many times larger than the archive its content may be, once it is more than a little. */
const maxRatio = 200;
const freeOfRatioBytes = 64 * 1024 * 1024;
/** How long unpacking keeps the daemon's event loop to itself. */
const SLICE_MS = 20;

/**
 * Where an archive is unpacked, out of sight, before anything of it is moved to its destination: a bad archive leaves nothing.
 * Links are made last, so that no entry can be written through one.
 */
export class Staging {
  files = 0;
  bytes = 0;
  private entries = 0;
  private yieldedAt = performance.now();
  private readonly links: ArchiveLink[] = [];

  private constructor(
    private readonly volume: Volume,
    private readonly name: string,
    private readonly root: number,
    private readonly archiveBytes: number,
  ) {}

  static open(volume: Volume, archiveBytes: number): Promise<Staging> {
    return volume.withDrafts((folder) => {
      const name = randomBytes(12).toString('hex');
      mkdirSync(below(folder, name), { mode: 0o700 });
      const root = openSync(below(folder, name), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      return new Staging(volume, name, root, archiveBytes);
    });
  }

  async addDirectory(entry: string): Promise<void> {
    const names = this.namesOf(entry);
    if (names.length === 0) return;
    await atLocation(this.root, names, { allowMissing: true }, (location) => {
      if (location.found) return;
      const target = makeParents(location);
      try {
        mkdirSync(target.location.at, { mode: 0o755 });
      } finally {
        target.close();
      }
    });
  }

  async addFile(entry: string, mode: number, content: AsyncIterable<Buffer>): Promise<void> {
    const names = this.namesOf(entry);
    if (names.length === 0) throw bad(`"${entry}" is no name for a file`);
    const file = await atLocation(this.root, names, { allowMissing: true, followLast: false }, (location) => {
      if (location.found) throw bad(`"${entry}" is in it twice`);
      const target = makeParents(location);
      try {
        return openSync(
          target.location.at,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
          (mode & 0o755) | 0o600,
        );
      } finally {
        target.close();
      }
    });
    try {
      // Written in place: a hop through the thread pool per file would cost most of the time of a hundred thousand.
      for await (const chunk of content) {
        await this.count(chunk.length);
        for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
        await this.yieldToOthers();
      }
    } finally {
      closeSync(file);
    }
    this.files += 1;
  }

  /** Where a link leads is judged when all of the archive is there. */
  addLink(entry: string, target: string): void {
    const names = this.namesOf(entry);
    if (names.length === 0 || target === '' || Buffer.byteLength(target) > MAX_PATH_BYTES || target.includes('\0'))
      throw bad(`the link "${entry.slice(0, 200)}" is not allowed`);
    this.links.push({ names, target: Buffer.from(target) });
    this.files += 1;
  }

  /** Moves everything to its destination below a directory. Nothing is put anywhere if something of it is in the way. */
  async publish(to: Buffer[], overwrite: boolean): Promise<void> {
    for (const { names, target } of this.links) {
      await this.makeLink(names, target);
      await this.yieldToOthers();
    }
    const check = new LinkCheck(this.root, this.volume.root, to);
    for (const link of this.links) {
      await check.assertStaysInside(link);
      await this.yieldToOthers();
    }
    // A directory that is not there yet is moved with all that is in it: the cost is that of what is there already.
    const moves = await this.movesTo(to, overwrite);
    for (const names of moves) {
      await this.move(names, [...to, ...names]);
      await this.yieldToOthers();
    }
  }

  async close(): Promise<void> {
    closeSync(this.root);
    await this.volume.withDrafts((folder) => removeTree(folder, this.name));
  }

  private async makeLink(names: Buffer[], target: Buffer): Promise<void> {
    await atLocation(this.root, names, { allowMissing: true, followLast: false }, (location) => {
      if (location.found) throw bad('a link has the name of something else');
      const made = makeParents(location);
      try {
        symlinkSync(target, made.location.at);
      } finally {
        made.close();
      }
    });
  }

  /** The topmost entries of the archive whose destination is free, or taken by something that they replace. */
  private async movesTo(to: Buffer[], overwrite: boolean): Promise<Buffer[][]> {
    const moves: Buffer[][] = [];
    const pending: Buffer[][] = [[]];
    for (let parents = pending.pop(); parents; parents = pending.pop()) {
      for (const { name, isDirectory } of await this.entriesOf(parents)) {
        const names = [...parents, name];
        const meets = await atLocation(
          this.volume.root,
          [...to, ...names],
          { allowMissing: true, followLast: false },
          ({ found }) => (!found ? 'nothing' : isDirectory && found.stats.isDirectory() ? 'directory' : 'something'),
        );
        if (meets === 'directory') pending.push(names);
        else if (meets === 'nothing' || overwrite) moves.push(names);
        else
          throw new RoostError('ALREADY_EXISTS', 'files of the archive exist already; use overwrite to replace them', [
            { field: 'path', reason: 'exists' },
          ]);
      }
    }
    return moves;
  }

  private entriesOf(parents: Buffer[]): Promise<{ name: Buffer; isDirectory: boolean }[]> {
    return atLocation(this.root, parents, { followLast: false }, ({ found }) => {
      if (!found) throw bad('a part of it vanished while it was unpacked');
      const directory = openRoot(found.at);
      try {
        return readdirSync(handle(directory), { encoding: 'buffer', withFileTypes: true })
          .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
          .sort((a, b) => a.name.compare(b.name));
      } finally {
        closeSync(directory);
      }
    });
  }

  private async move(names: Buffer[], to: Buffer[]): Promise<void> {
    await atLocation(this.volume.root, to, { allowMissing: true, followLast: false }, async (location) => {
      if (location.found) await this.volume.remove(location);
      const target = makeParents(location);
      try {
        await atLocation(this.root, names, { followLast: false }, ({ at }) => renameSync(at, target.location.at));
      } finally {
        target.close();
      }
    });
  }

  private namesOf(entry: string): Buffer[] {
    this.entries += 1;
    if (this.entries > MAX_ENTRIES) throw bad(`more than ${MAX_ENTRIES} entries`);
    const names = entry.split('/').filter((name) => name !== '' && name !== '.');
    const isHostile =
      entry.startsWith('/') ||
      entry.split(/[\\/]/).includes('..') ||
      names[0] === RESERVED ||
      hasControlCharacter(entry);
    if (isHostile) throw bad(`the path "${entry.slice(0, 200)}" is not allowed`);
    if (Buffer.byteLength(entry) > MAX_PATH_BYTES || names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
      throw bad('a path is too long');
    return names.map(fromShown);
  }

  /** Counts bytes as they come, whatever the archive's headers state. */
  private async count(bytes: number): Promise<void> {
    this.bytes += bytes;
    const isBomb =
      this.bytes > MAX_UNPACKED_BYTES || (this.bytes > freeOfRatioBytes && this.bytes > this.archiveBytes * maxRatio);
    if (isBomb) throw bad(`it unpacks to far more than its own size (${this.bytes} bytes and more)`);
    await this.volume.capacity.take(bytes);
  }

  /** Lets the daemon answer others: it would count as broken if an archive kept it busy. */
  private async yieldToOthers(): Promise<void> {
    if (performance.now() - this.yieldedAt < SLICE_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.yieldedAt = performance.now();
  }
}
