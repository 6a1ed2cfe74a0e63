import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { RoostError } from '#lib/contracts';
import { fsError } from './fs-error.js';
import { outside, RESERVED } from './path.js';

// Linux: a handle that names a file without opening it. Node has no constant for it but hands the bits through.
const O_PATH = 0o10000000;
const maxLinks = 40;
const maxDepth = 512;

/**
 * A location in the tree, kept by handles: whatever the agent's code renames or swaps meanwhile, the handles still mean
 * what was checked. `at` is the path to hand to a system call; it never goes through a symbolic link, except through
 * its own last name, which calls must treat with no-follow semantics.
 */
export interface Location {
  /** Handle of the directory the location is in; for the root, of the root itself. */
  readonly directory: number;
  /** Undefined for the root. */
  readonly name: Buffer | undefined;
  /** `/proc/self/fd/<directory>/<name>`. */
  readonly at: Buffer;
  /** What is there: an O_PATH handle and its stats. Undefined when nothing is. */
  readonly found: { readonly fd: number; readonly stats: Stats; readonly at: string } | undefined;
  /** Names below the last directory that exists, when more than the last name is missing. */
  readonly missing: readonly Buffer[];
  /** The directories that lead there from the root, itself included where it is one. */
  readonly directories: readonly Stats[];
}

export interface WalkOptions {
  /** Go through a symbolic link in the last name too. Default true. */
  followLast?: boolean;
  /** Report missing directories in `missing` instead of failing. Default false. */
  allowMissing?: boolean;
}

/**
 * Walks from the root handle name by name, each opened relative to the handle before it and without following links;
 * links are read and walked by the same rules, so neither a link nor `..` can lead out, however the tree changes
 * during the walk. The location's handles are closed when `use` is done.
 * Errors: NOT_FOUND, ACCESS_DENIED (outside, reserved, too many links).
 */
export async function atLocation<T>(
  root: number,
  names: readonly Buffer[],
  options: WalkOptions,
  use: (location: Location) => Promise<T> | T,
): Promise<T> {
  const open: number[] = [];
  try {
    return await use(walk(root, names, options, open));
  } catch (error) {
    throw fsError(error);
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

interface Step {
  fd: number;
  name: Buffer | undefined;
  stats: Stats;
}

function walk(
  root: number,
  names: readonly Buffer[],
  { followLast = true, allowMissing = false }: WalkOptions,
  open: number[],
): Location {
  const stack: Step[] = [{ fd: root, name: undefined, stats: fstatSync(root) }];
  const directories = () => stack.map(({ stats }) => stats);
  const pending = [...names];
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const here = stack.at(-1)?.fd ?? root;
    if (name.equals(parent)) {
      if (stack.length === 1) throw outside();
      stack.pop();
      continue;
    }
    if (stack.length === 1 && name.equals(reserved)) throw isReserved();
    if (stack.length > maxDepth) throw new RoostError('VALIDATION_ERROR', `path: at most ${maxDepth} directories deep`);
    const at = below(here, name);
    const fd = tryOpen(at);
    const isLast = pending.length === 0;
    if (fd === undefined) {
      if (!isLast && !allowMissing) throw new RoostError('NOT_FOUND', 'no such file or directory');
      if (!isLast && pending.some((rest) => rest.equals(parent)))
        throw new RoostError('NOT_FOUND', 'no such file or directory');
      const missing = isLast ? [] : [name, ...pending];
      return { directory: here, name, at, found: undefined, missing, directories: directories() };
    }
    open.push(fd);
    const stats = fstatSync(fd);
    const found = { fd, stats, at: handle(fd) };
    const present = () => ({ directory: here, name, at, found, missing: [], directories: directories() });
    if (stats.isSymbolicLink()) {
      if (isLast && !followLast) return present();
      if (++links > maxLinks) throw new RoostError('ACCESS_DENIED', 'too many symbolic links');
      const target = readlinkSync(at, { encoding: 'buffer' });
      if (target[0] === slash) stack.length = 1;
      pending.unshift(...namesOfTarget(target));
    } else if (stats.isDirectory()) {
      stack.push({ fd, name, stats });
    } else if (isLast) {
      return present();
    } else {
      throw new RoostError('NOT_FOUND', 'a part of the path is not a directory');
    }
  }
  return locationOf(stack, root);
}

function locationOf(stack: Step[], root: number): Location {
  const { fd, name, stats } = stack.at(-1) ?? { fd: root, name: undefined, stats: fstatSync(root) };
  const directory = stack.at(-2)?.fd ?? root;
  const found = { fd, stats, at: handle(fd) };
  const at = name ? below(directory, name) : Buffer.from(handle(fd));
  return { directory, name, at, found, missing: [], directories: stack.map(({ stats }) => stats) };
}

const parent = Buffer.from('..');
const reserved = Buffer.from(RESERVED);
const slash = 0x2f;

/** The path of a name below a directory handle. */
export function below(directory: number, name: Buffer | string): Buffer {
  return Buffer.concat([
    Buffer.from(`/proc/self/fd/${directory}/`),
    typeof name === 'string' ? Buffer.from(name) : name,
  ]);
}

/** The path that means exactly the file behind a handle. */
export function handle(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** An absolute link must say `/workspace/…`: everything else is the sandbox's system, which is no file of the agent's. */
function namesOfTarget(target: Buffer): Buffer[] {
  const names = split(target);
  if (target[0] !== slash) return names;
  if (names[0]?.toString('latin1') !== 'workspace') throw outside();
  return names.slice(1);
}

/** The names of a path's bytes, without empty ones and `.`. */
export function split(path: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let start = 0; start <= path.length;) {
    const end = path.indexOf(slash, start);
    const name = path.subarray(start, end < 0 ? path.length : end);
    if (name.length > 0 && !(name.length === 1 && name[0] === 0x2e)) names.push(name);
    if (end < 0) break;
    start = end + 1;
  }
  return names;
}

function tryOpen(at: Buffer): number | undefined {
  try {
    return openSync(at, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isReserved(): RoostError {
  return new RoostError('ACCESS_DENIED', `${RESERVED} is kept for Roost itself`, [
    { field: 'path', reason: 'reserved' },
  ]);
}

/** Opens the root of a tree. */
export function openRoot(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}
