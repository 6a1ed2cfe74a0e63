import { isObject, type Json, must } from './wire.js';

/** Half of a surrogate pair, escaped as `\ud83d`, is no JSON to the services' parsers: Anthropic answers with these words. */
export function checkPairs(value: Json): void {
  must(isWhole(value), 'The request body is not valid JSON: no low surrogate in string');
}

function isWhole(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isWhole);
  return !isObject(value) || Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWhole(inner));
}
