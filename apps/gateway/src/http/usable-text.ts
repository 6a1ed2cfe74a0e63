import { type ErrorDetail, RoostError } from '#lib/contracts';

/**
 * In JSON text: `\u0000`, `\ud800` to `\udfff`, and `__proto__`, of which any character may be written as an escape.
 * Only where one of these is can the parsed value hold what is refused; `\u00` and `\u005f` are rare enough to look.
 */
const MAY_BE_UNUSABLE = /\\u(?:[dD][89a-fA-F]|00)|__proto__/;

/**
 * Refuses what nobody behind this edge can store or use: U+0000 (no text of PostgreSQL, no argument or variable of a
 * program), half of a surrogate pair (has no UTF-8) and keys named `__proto__` (copying one changes the copy's
 * prototype). Looked for once, here, where all JSON enters.
 * @param mayHoldNul names of the body's own fields that are content of any bytes
 * Errors: VALIDATION_ERROR naming the field by its path.
 */
export function refuseUnusableJson(json: string, value: unknown, mayHoldNul: readonly string[] = []): void {
  if (MAY_BE_UNUSABLE.test(json)) refuseUnusable(value, mayHoldNul);
}

/** The same for a value that was not written as JSON. */
export function refuseUnusable(value: unknown, mayHoldNul: readonly string[] = []): void {
  const found = findUnusable(value, '', mayHoldNul);
  if (found) throw refused(found, 'the body');
}

/** The same for what a URL holds. Errors: VALIDATION_ERROR naming the parameter. */
export function refuseUnusableParameters(parameters: unknown): void {
  const found = findUnusable(parameters, '', []);
  if (found) throw refused(found, 'the URL');
}

type Unusable = ErrorDetail & { field: string; message: string };

/** How deep the value may be is bounded before. */
function findUnusable(value: unknown, path: string, mayHoldNul: readonly string[]): Unusable | undefined {
  if (typeof value === 'string') return whyUnusable(value, path, mayHoldNul.includes(path));
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const at = path === '' ? shown(key) : `${path}.${shown(key)}`;
    const found =
      key === '__proto__'
        ? { field: at, reason: 'unknown_field', message: 'is no name that a field can have' }
        : (whyUnusable(key, at, false) ?? findUnusable(child, at, mayHoldNul));
    if (found) return found;
  }
  return undefined;
}

function whyUnusable(text: string, field: string, mayHoldNul: boolean): Unusable | undefined {
  if (!mayHoldNul && text.includes('\0'))
    return { field, reason: 'invalid_characters', message: 'holds U+0000, which no text can have' };
  if (!text.isWellFormed())
    return { field, reason: 'invalid_characters', message: 'holds half of a surrogate pair, which is no text' };
  return undefined;
}

/** A name as it can be shown: of readable length, and usable itself. */
const shown = (key: string) => key.slice(0, 100).toWellFormed().replaceAll('\0', '\uFFFD');

function refused(detail: Unusable, whole: string): RoostError {
  return new RoostError('VALIDATION_ERROR', `${detail.field || whole}: ${detail.message}`, [detail]);
}
