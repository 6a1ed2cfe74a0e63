import { closeSync, constants, mkdirSync, openSync, renameSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RoostError } from '#lib/contracts';
import { makeParents } from '../directories/make-parents.js';
import { MAX_NAME_BYTES, MAX_PATH_BYTES, RESERVED, hasControlCharacter } from '../tree/path.js';
import { removeTree } from '../tree/remove-tree.js';
import { visit } from '../tree/visit.js';
import type { Volume } from '../tree/volume.js';
import { atPlace, below } from '../tree/walk.js';

export const MAX_ENTRIES = 100_000;
export const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;
/** How many times larger than the archive its content may be, once it is more than a little. */
const maxRatio = 200;
const freeOfRatioBytes = 64 * 1024 * 1024;

/**
 * Where an archive is unpacked, out of sight, before anything of it is put in its place: a bad archive leaves nothing.
 * Links are made last, so that no entry can be written through one.
 */
export class Staging {
  files = 0;
  bytes = 0;
  private entries = 0;
  private readonly links: { names: Buffer[]; target: string }[] = [];

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
    await atPlace(this.root, names, { allowMissing: true }, (place) => {
      if (place.found) return;
      const target = makeParents(place);
      try {
        mkdirSync(target.place.at, { mode: 0o755 });
      } finally {
        target.close();
      }
    });
  }

  async addFile(entry: string, mode: number, content: Readable): Promise<void> {
    const names = this.namesOf(entry);
    if (names.length === 0) throw bad(`"${entry}" is no name for a file`);
    await atPlace(this.root, names, { allowMissing: true, followLast: false }, async (place) => {
      if (place.found) throw bad(`"${entry}" is in it twice`);
      const target = makeParents(place);
      try {
        const file = await open(
          target.place.at,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
          (mode & 0o755) | 0o600,
        );
        await pipeline(content, this.meter(), file.createWriteStream());
      } finally {
        target.close();
      }
    });
    this.files += 1;
  }

  /** Only links that stay in the tree are taken: relative ones that do not climb above its top. */
  addLink(entry: string, target: string): void {
    const names = this.namesOf(entry);
    let depth = names.length - 1;
    for (const part of target.split('/')) {
      if (part === '..') depth -= 1;
      else if (part !== '' && part !== '.') depth += 1;
      if (depth < 0) break;
    }
    if (names.length === 0 || target === '' || target.startsWith('/') || depth < 0)
      throw bad(`the link "${entry}" leads out of it`);
    this.links.push({ names, target });
    this.files += 1;
  }

  /** Puts everything in its place below a directory. Nothing is put anywhere if something of it is in the way. */
  async publish(to: Buffer[], overwrite: boolean): Promise<void> {
    for (const { names, target } of this.links) await this.makeLink(names, target);
    if (!overwrite) await this.assertFree(to);
    for (const { names, stats, at } of visit(this.root, false)) {
      await atPlace(this.volume.root, [...to, ...names], { allowMissing: true, followLast: false }, async (place) => {
        if (stats.isDirectory() && place.found?.stats.isDirectory()) return;
        if (place.found && (stats.isDirectory() || place.found.stats.isDirectory())) await this.volume.remove(place);
        const target = makeParents(place);
        try {
          if (stats.isDirectory()) mkdirSync(target.place.at, { mode: 0o755 });
          else renameSync(at, target.place.at);
        } finally {
          target.close();
        }
      });
    }
  }

  async close(): Promise<void> {
    closeSync(this.root);
    await this.volume.withDrafts((folder) => removeTree(folder, this.name));
  }

  private async makeLink(names: Buffer[], target: string): Promise<void> {
    await atPlace(this.root, names, { allowMissing: true, followLast: false }, (place) => {
      if (place.found) throw bad('a link has the name of something else');
      const made = makeParents(place);
      try {
        symlinkSync(target, made.place.at);
      } finally {
        made.close();
      }
    });
  }

  private async assertFree(to: Buffer[]): Promise<void> {
    for (const { names, stats } of visit(this.root, false)) {
      await atPlace(this.volume.root, [...to, ...names], { allowMissing: true, followLast: false }, ({ found }) => {
        if (found && !(stats.isDirectory() && found.stats.isDirectory())) {
          throw new RoostError('ALREADY_EXISTS', 'files of the archive exist already; use overwrite to replace them', [
            { field: 'path', reason: 'exists' },
          ]);
        }
      });
    }
  }

  private namesOf(entry: string): Buffer[] {
    this.entries += 1;
    if (this.entries > MAX_ENTRIES) throw bad(`more than ${MAX_ENTRIES} entries`);
    const names = entry.split('/').filter((name) => name !== '' && name !== '.');
    const isHostile =
      entry.startsWith('/') ||
      entry.includes('\\') ||
      names.includes('..') ||
      names[0] === RESERVED ||
      hasControlCharacter(entry);
    if (isHostile) throw bad(`the path "${entry.slice(0, 200)}" is not allowed`);
    if (Buffer.byteLength(entry) > MAX_PATH_BYTES || names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
      throw bad('a path is too long');
    return names.map((name) => Buffer.from(name));
  }

  /** Counts bytes as they come, whatever the archive's headers say. */
  private meter(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _, done) => {
        this.bytes += chunk.length;
        const isBomb =
          this.bytes > MAX_UNPACKED_BYTES ||
          (this.bytes > freeOfRatioBytes && this.bytes > this.archiveBytes * maxRatio);
        if (isBomb) done(bad(`it unpacks to far more than its own size (${this.bytes} bytes and more)`));
        else
          this.volume.room.take(chunk.length).then(
            () => done(null, chunk),
            (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
          );
      },
    });
  }
}

export function bad(why: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `archive: ${why}; nothing was written`, [
    { field: 'archive', reason: 'refused' },
  ]);
}
