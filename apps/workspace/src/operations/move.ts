import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { type moveFiles as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { makeParents } from '../directories/make-parents.js';
import { absolute, parsePath } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atPlace } from '../tree/walk.js';
import { outcomeOf } from './each.js';

type Transfer = z.output<typeof contract.input>['operations'][number];

/** Moves files and directories; a symbolic link is moved itself. Parents of the destination are made. */
export async function moveFiles(
  volume: Volume,
  { operations }: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  const results = [];
  for (const operation of operations) {
    const { source, destination } = operation;
    results.push({ source, destination, ...(await outcomeOf(() => move(volume, operation))) });
  }
  return { results };
}

function move(volume: Volume, { source, destination, overwrite }: Transfer): Promise<void> {
  const [from, to] = [parsePath(source), parsePath(destination)];
  assertApart(from, to);
  return atPlace(volume.root, from, { followLast: false }, ({ found, name, at }) => {
    if (!found) throw new RoostError('NOT_FOUND', 'no such file or directory');
    if (!name) throw new RoostError('ACCESS_DENIED', 'the workspace itself cannot be moved');
    return atPlace(volume.root, to, { followLast: false, allowMissing: true }, (place) => {
      if (place.found && !overwrite)
        throw new RoostError('ALREADY_EXISTS', 'the destination exists already; use overwrite to replace it');
      if (!place.name) throw new RoostError('ALREADY_EXISTS', 'the destination is the workspace itself');
      const target = makeParents(place);
      try {
        if (overwrite || found.stats.isDirectory()) renameSync(at, target.place.at);
        else {
          // A link fails when something has appeared there meanwhile; a rename would replace it.
          linkSync(at, target.place.at);
          unlinkSync(at);
        }
      } finally {
        target.close();
      }
      volume.tags.deleted(absolute(to));
      volume.tags.moved(absolute(from), absolute(to));
    });
  });
}

/** Errors: VALIDATION_ERROR when one lies in the other. */
export function assertApart(from: Buffer[], to: Buffer[]): void {
  const isInside = from.length <= to.length && from.every((name, index) => to[index]?.equals(name));
  if (isInside)
    throw new RoostError('VALIDATION_ERROR', 'destination: lies in the source, or is the source', [
      { field: 'destination', reason: 'inside_source' },
    ]);
}
