import { closeSync, constants, lstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { RESERVED } from './path.js';
import { below, handle } from './walk.js';

export interface Visited {
  /** Below the directory the visit began in. */
  names: Buffer[];
  stats: Stats;
  /** For system calls while the visitor holds this entry; must be used with no-follow semantics. */
  at: Buffer;
}

const maxDepth = 256;
const reserved = Buffer.from(RESERVED);

/**
 * Everything below a directory, parents first, in the byte order of the names. Links are listed, not followed; what
 * vanishes or cannot be read meanwhile is left out. Not promised: a state that existed at one moment.
 */
export function* visit(directory: number, isRoot: boolean, parents: Buffer[] = []): Generator<Visited> {
  const names = readdirSync(handle(directory), { encoding: 'buffer' }).sort((a, b) => a.compare(b));
  for (const name of names) {
    if (isRoot && name.equals(reserved)) continue;
    const at = below(directory, name);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats) continue;
    const found = [...parents, name];
    yield { names: found, stats, at };
    if (!stats.isDirectory() || found.length >= maxDepth) continue;
    const fd = tryOpenDirectory(at);
    if (fd === undefined) continue;
    try {
      yield* visit(fd, false, found);
    } finally {
      closeSync(fd);
    }
  }
}

function tryOpenDirectory(at: Buffer): number | undefined {
  try {
    return openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined; // removed, replaced or closed to us since it was listed
  }
}
