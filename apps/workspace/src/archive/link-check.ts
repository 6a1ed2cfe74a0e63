import { RoostError } from '#lib/contracts';
import { readlinkSync, type Stats } from 'node:fs';
import { RESERVED } from '../tree/path.js';
import { atLocation, split } from '../tree/walk.js';

export interface ArchiveLink {
  names: Buffer[];
  target: Buffer;
}

type Found = { kind: 'directory' | 'other' | 'nothing' | 'foreign-link' } | { kind: 'link'; target: Buffer };

/** As many as the walk of the API follows. */
const MAX_LINKS = 40;

/**
 * Finds out where an archive's links lead once it is unpacked at its destination: by what is unpacked, and where that has nothing, by what
 * is in the directory already. Counting the `..` of a target proves nothing: `a -> .` and `s -> a/..` are harmless each.
 * Not promised: anything about what the agent's own code changes afterwards.
 */
export class LinkCheck {
  private readonly known = new Map<string, Found>();

  constructor(
    private readonly staged: number,
    private readonly volume: number,
    private readonly to: readonly Buffer[],
  ) {}

  /** Errors: VALIDATION_ERROR when the link leads out of the archive's tree, round in a circle or through a foreign link. */
  async assertStaysInside({ names, target }: ArchiveLink): Promise<void> {
    const refused = (why: string) => bad(`the link "${names.join('/').slice(0, 200)}" ${why}`);
    const at = names.slice(0, -1);
    const pending = this.namesOf(target, refused);
    let isMissing = false;
    let links = 0;
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name.equals(parent)) {
        // What is not there yet can become a link, and `..` would then be that of another directory.
        if (isMissing || at.length === 0) throw refused('leads out of it');
        at.pop();
        continue;
      }
      at.push(name);
      if (at.length === 1 && name.equals(reserved)) throw refused('leads out of it');
      if (isMissing) continue;
      const found = await this.find(at);
      if (found.kind === 'nothing') isMissing = true;
      else if (found.kind === 'foreign-link') throw refused('leads through a link that is not of the archive');
      else if (found.kind === 'link') {
        if (++links > MAX_LINKS) throw refused('leads round in a circle');
        at.pop();
        pending.unshift(...this.namesOf(found.target, refused));
      }
    }
  }

  private namesOf(target: Buffer, refused: (why: string) => Error): Buffer[] {
    if (target[0] === 0x2f) throw refused('leads out of it');
    return split(target);
  }

  private async find(names: readonly Buffer[]): Promise<Found> {
    const key = Buffer.concat(names.flatMap((name) => [name, separator])).toString('latin1');
    const known = this.known.get(key);
    if (known) return known;
    const staged = await inspect(this.staged, names);
    const found = staged.kind === 'nothing' ? asForeign(await inspect(this.volume, [...this.to, ...names])) : staged;
    this.known.set(key, found);
    return found;
  }
}

const parent = Buffer.from('..');
const reserved = Buffer.from(RESERVED);
const separator = Buffer.from('/');

function asForeign(found: Found): Found {
  return found.kind === 'link' ? { kind: 'foreign-link' } : found;
}

/** What is at names none of which but the last is a link. */
function inspect(root: number, names: readonly Buffer[]): Promise<Found> {
  return atLocation(root, names, { allowMissing: true, followLast: false }, ({ found, at }): Found => {
    if (!found) return { kind: 'nothing' };
    if (found.stats.isSymbolicLink()) return { kind: 'link', target: readlinkSync(at, { encoding: 'buffer' }) };
    return { kind: kindOf(found.stats) };
  });
}

function kindOf(stats: Stats): 'directory' | 'other' {
  return stats.isDirectory() ? 'directory' : 'other';
}

/** An archive that is not taken, whatever is wrong with it. */
export function bad(why: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `archive: ${why}; nothing was written`, [
    { field: 'archive', reason: 'refused' },
  ]);
}
