import { exactJson, exactText } from './exact-json.js';

/** A path like `a.b.0.c`; more steps than this reads nothing. */
export const MAX_PATH_STEPS = 32;

/**
 * What is at a dot path of a JSON value, as text: strings as they are, everything else as JSON, '' when there is
 * nothing. Only own properties count, so that `constructor` or `__proto__` reach no prototype. Numbers that were read by
 * `parseExactJson` keep the digits that were sent.
 */
export function readPath(value: unknown, steps: readonly string[]): string {
  if (steps.length > MAX_PATH_STEPS) return '';
  let here = value;
  for (const step of steps) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return '';
    // The length of an array is no part of the JSON that was sent.
    if (Array.isArray(here) && step === 'length') return '';
    here = (here as Record<string, unknown>)[step];
  }
  return asText(here);
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? exactText(value) : (exactJson(value) ?? '');
}
