import { RoostError } from '#lib/contracts';

/** An archive that is not taken, whatever is wrong with it. */
export function bad(why: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `archive: ${why}; nothing was written`, [
    { field: 'archive', reason: 'refused' },
  ]);
}
