import { RoostError } from '#lib/contracts';

/** `\ud800` to `\udfff` in JSON text: only then the parsed text can hold half of a surrogate pair. */
const MAY_HOLD_HALVES = /\\u[dD][89a-fA-F]/;

/**
 * Refuses text that is no Unicode: half of a surrogate pair has no UTF-8, so no database or provider takes it.
 * Looked for once, here, where all JSON enters. Errors: VALIDATION_ERROR naming the field.
 */
export function refuseHalfCharacters(json: string, value: unknown): void {
  const field = MAY_HOLD_HALVES.test(json) ? findHalf(value, '') : undefined;
  if (field === undefined) return;
  throw new RoostError('VALIDATION_ERROR', `${field || 'the body'}: holds half of a surrogate pair, which is no text`, [
    { field, reason: 'invalid_characters' },
  ]);
}

/** The path of the first such text, '' for the value itself. */
function findHalf(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const at = [path, key.toWellFormed()].filter(Boolean).join('.');
    const found = key.isWellFormed() ? findHalf(child, at) : at;
    if (found !== undefined) return found;
  }
  return undefined;
}
