import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import { type DirectoryEntry, type listDirectory as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute, parsePath, RESERVED, toShown } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { typeOf } from '../tree/stats.js';
import { atLocation, below, handle } from '../tree/walk.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;
type Entry = z.output<typeof DirectoryEntry>;

/** A page must fit one bus message, even when every name has 255 bytes. */
const maxPage = 1_000;
const maxDepth = 64;

/**
 * One page of a directory, in the byte order of the names; with `recursive` of the whole subtree, parents before their
 * children and names relative to the directory. The cursor is the last name given, so that a page is right even when
 * entries come and go between two calls.
 */
export async function listDirectory(volume: Volume, { path, recursive, limit, cursor }: Input): Promise<Output> {
  const names = parsePath(path);
  return atLocation(volume.root, names, {}, (location) => {
    const { found } = location;
    if (!found) throw new RoostError('NOT_FOUND', 'no such directory');
    if (!found.stats.isDirectory())
      throw new RoostError('VALIDATION_ERROR', 'path: is not a directory', [
        { field: 'path', reason: 'not_directory' },
      ]);
    const after = cursor === undefined ? [] : namesOfCursor(cursor);
    const wanted = Math.min(limit, maxPage) + 1;
    const entries: { names: Buffer[]; entry: Entry }[] = [];
    collect(found.fd, [], after, recursive, location.name === undefined, wanted, entries);
    const page = entries.slice(0, wanted - 1);
    const last = page.at(-1);
    return {
      path: absolute(names),
      entries: page.map(({ entry }) => entry),
      nextCursor:
        last && entries.length === wanted ? last.names.map((name) => name.toString('base64url')).join('.') : null,
    };
  });
}

function collect(
  directory: number,
  parents: Buffer[],
  after: Buffer[],
  recursive: boolean,
  isRoot: boolean,
  wanted: number,
  into: { names: Buffer[]; entry: Entry }[],
): void {
  const [first, ...rest] = after;
  const from = first?.toString('latin1');
  // As Latin-1 each byte of a name is one code unit: the order of the texts is that of the bytes.
  const names = readdirSync(handle(directory), { encoding: 'latin1' }).filter(
    (name) => (!isRoot || name !== RESERVED) && (from === undefined || name >= from),
  );
  for (const text of inOrder(names, wanted - into.length + 1)) {
    if (into.length >= wanted) return;
    const name = Buffer.from(text, 'latin1');
    const isCursor = first?.equals(name) ?? false;
    const found = [...parents, name];
    const entry = entryOf(directory, found);
    if (!entry) continue;
    // The cursor itself and the directories that lead to it were given before.
    if (!isCursor) into.push({ names: found, entry });
    if (recursive && entry.type === 'directory' && found.length < maxDepth)
      descend(directory, found, isCursor ? rest : [], wanted, into);
  }
}

function descend(
  parent: number,
  names: Buffer[],
  after: Buffer[],
  wanted: number,
  into: { names: Buffer[]; entry: Entry }[],
): void {
  let fd: number;
  try {
    fd = openSync(below(parent, names.at(-1) ?? ''), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return; // removed, replaced or closed to us since it was listed
  }
  try {
    collect(fd, names, after, true, false, wanted, into);
  } finally {
    closeSync(fd);
  }
}

function entryOf(directory: number, names: Buffer[]): Entry | undefined {
  try {
    const stats = lstatSync(below(directory, names.at(-1) ?? ''));
    return {
      name: names.map(toShown).join('/'),
      type: typeOf(stats),
      size: stats.isFile() ? stats.size : 0,
      modifiedAt: stats.mtime,
    };
  } catch {
    return undefined; // removed since it was listed
  }
}

function namesOfCursor(cursor: string): Buffer[] {
  if (!/^[\w.-]+$/.test(cursor))
    throw new RoostError('VALIDATION_ERROR', 'cursor: is not one that was given', [
      { field: 'cursor', reason: 'invalid' },
    ]);
  return cursor.split('.').map((name) => Buffer.from(name, 'base64url'));
}

/**
 * Names in order, sorted a batch at a time: a page of a directory needs its first names only, and sorting a hundred
 * thousand for each page would take longer than reading them. `batch`: how many are likely to be needed.
 */
function* inOrder(names: string[], batch: number): Generator<string> {
  for (let rest = names; rest.length > 0;) {
    const first = smallest(rest, Math.max(batch, 1));
    yield* first;
    const last = first.at(-1) ?? '';
    rest = rest.filter((name) => name > last);
  }
}

/** The `count` smallest, sorted. Names are different from one another. */
function smallest(names: string[], count: number): string[] {
  let smallestYet: string[] = [];
  let limit: string | undefined;
  for (const name of names) {
    if (limit !== undefined && name > limit) continue;
    smallestYet.push(name);
    if (smallestYet.length < count * 2) continue;
    smallestYet = smallestYet.sort(byCodeUnit).slice(0, count);
    limit = smallestYet.at(-1);
  }
  return smallestYet.sort(byCodeUnit).slice(0, count);
}

function byCodeUnit(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
