import { RoostError, type copyFiles as contract } from '#lib/contracts';
import type { z } from 'zod';
import { makeParents } from '../directories/directories.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atLocation, type Location } from '../tree/walk.js';

type Input = z.output<typeof contract.input>;
type Output = z.output<typeof contract.output>;

/** What is copied or moved, and where to. */
export interface Transfer {
  from: Buffer[];
  to: Buffer[];
  /** `to` as it was asked for. */
  destination: string;
  source: Location & { found: NonNullable<Location['found']> };
  overwrite: boolean;
}

/**
 * Does one thing for each source and destination, each for itself: a failure is that operation's result.
 * `followLast`: whether a source that is a link means what it leads to.
 */
export async function transferEach(
  volume: Volume,
  { operations }: Input,
  options: { followLast: boolean },
  work: (transfer: Transfer) => Promise<unknown>,
): Promise<Output> {
  const results = [];
  for (const { source, destination, overwrite } of operations) {
    const outcome = await outcomeOf(async () => {
      const [from, to] = [parsePath(source), parsePath(destination)];
      assertApart(from, to);
      await atLocation(volume.root, from, options, (location) => {
        const { found } = location;
        if (!found) throw new RoostError('NOT_FOUND', 'no such file or directory');
        return work({ from, to, destination, source: { ...location, found }, overwrite });
      });
    });
    results.push({ source, destination, ...outcome });
  }
  return { results };
}

/**
 * Gives `put` the location of the destination, its parents made. Errors: ALREADY_EXISTS unless `overwrite`,
 * VALIDATION_ERROR when it is in the source.
 */
export function atDestination(
  volume: Volume,
  { to, source, overwrite }: Pick<Transfer, 'to' | 'source' | 'overwrite'>,
  put: (target: Buffer, present: Location) => Promise<void> | void,
): Promise<void> {
  return atLocation(volume.root, to, { followLast: false, allowMissing: true }, async (location) => {
    if (!location.name) throw new RoostError('ALREADY_EXISTS', 'the destination is the workspace itself');
    // A link or ".." can lead into the source though the paths do not show it: a copy would hold itself, and have no end.
    if (location.directories.some(({ dev, ino }) => dev === source.found.stats.dev && ino === source.found.stats.ino))
      throw insideSource();
    if (location.found && !overwrite)
      throw new RoostError('ALREADY_EXISTS', 'the destination exists already; use overwrite to replace it');
    const target = makeParents(location);
    try {
      await put(target.location.at, location);
    } finally {
      target.close();
    }
    volume.tags.deleted(absolute(to));
  });
}

function assertApart(from: Buffer[], to: Buffer[]): void {
  const isInside = from.length <= to.length && from.every((name, index) => to[index]?.equals(name));
  if (isInside) throw insideSource();
}

function insideSource(): RoostError {
  return new RoostError('VALIDATION_ERROR', 'destination: lies in the source, or is the source', [
    { field: 'destination', reason: 'inside_source' },
  ]);
}

type Outcome = { success: true } | { success: false; error: { code: string; message: string } };

/** Runs one of several operations; its failure is a result, so that the others stand. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { success: true };
  } catch (error) {
    if (error instanceof RoostError) return { success: false, error: { code: error.code, message: error.message } };
    throw error;
  }
}
