import { canonicalJson } from '#lib/canonical-json';
import { RoostError } from '#lib/contracts';
import { createHash } from 'node:crypto';
import type { Planned, Present } from './plan-by-name.js';

/** What there is of some kinds, as one short text: another one after any change of a field that documents name. */
export function partsState(...kinds: Present<object>[][]): string {
  return createHash('sha256').update(canonicalJson(kinds)).digest('hex');
}

/**
 * A document may arrive after a later one: its caller gave up and sent again while a service was away. Then it was
 * compared with what is not there any more. Where nothing would be changed it does not matter.
 * Errors: CONFLICT.
 */
export function requireState(expected: string | undefined, state: string, planned: Planned<object>[]): void {
  if (expected === undefined || expected === state || planned.every(({ action }) => action === 'none')) return;
  throw new RoostError('CONFLICT', 'it was changed since the document was compared with it: apply again', [
    { reason: 'changed_meanwhile' },
  ]);
}
