import { linkSync, renameSync, unlinkSync } from 'node:fs';
import { type moveFiles as contract, RoostError } from '#lib/contracts';
import type { z } from 'zod';
import { absolute } from '../tree/path.js';
import type { Volume } from '../tree/volume.js';
import { atDestination, type Transfer, transferEach } from './transfer.js';

/** Moves files and directories; a symbolic link is moved itself. Parents of the destination are made. */
export function moveFiles(
  volume: Volume,
  input: z.output<typeof contract.input>,
): Promise<z.output<typeof contract.output>> {
  return transferEach(volume, input, { followLast: false }, (transfer) => move(volume, transfer));
}

async function move(volume: Volume, { from, to, source, overwrite }: Transfer): Promise<void> {
  if (!source.name) throw new RoostError('ACCESS_DENIED', 'the workspace itself cannot be moved');
  await atDestination(volume, { source, to, overwrite }, (target) => {
    if (overwrite || source.found.stats.isDirectory()) renameSync(source.at, target);
    else {
      // A link fails when something has appeared there meanwhile; a rename would replace it.
      linkSync(source.at, target);
      unlinkSync(source.at);
    }
  });
  volume.tags.moved(absolute(from), absolute(to));
}
