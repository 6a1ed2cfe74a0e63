import { RoostError } from '#lib/contracts';

/**
 * Metadata may have 16 levels and tool schemas have about 20. What reads JSON here and in the services (zod, encoders,
 * PostgreSQL) goes as deep in its own stack, which ends at about 3,000 levels.
 */
export const MAX_JSON_DEPTH = 64;
/** The largest lists that a route takes are 1,000 items of four fields; each value costs its reader about 100 times its bytes. */
export const MAX_JSON_VALUES = 20_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const CASE = 0x20;
const OPEN = 0x5b | CASE;
const CLOSE = 0x5d | CASE;

/**
 * Counts levels and values of JSON in its bytes, before any of it is made into objects: one pass, no recursion.
 * What is no JSON at all is left to the parser. Errors: VALIDATION_ERROR.
 */
export function refuseOversizedJson(bytes: Uint8Array): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
    } else if (byte === COMMA) {
      if (++values > MAX_JSON_VALUES) throw tooMany();
    } else if ((byte | CASE) === OPEN) {
      if (++depth > MAX_JSON_DEPTH) throw tooDeep();
      if (++values > MAX_JSON_VALUES) throw tooMany();
    } else if ((byte | CASE) === CLOSE) {
      depth--;
    }
  }
}

/** Where the quote is that ends the string which begins at `at`; the end of all where none does. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let next = at + 1; next < bytes.length; next++) {
    if (bytes[next] === QUOTE) return next;
    if (bytes[next] === BACKSLASH) next++;
  }
  return bytes.length;
}

function tooDeep(): RoostError {
  return new RoostError('VALIDATION_ERROR', `the body is nested more than ${MAX_JSON_DEPTH} levels deep`, [
    { field: 'body', reason: 'too_deep', max: MAX_JSON_DEPTH },
  ]);
}

function tooMany(): RoostError {
  return new RoostError('VALIDATION_ERROR', `the body holds more than ${MAX_JSON_VALUES} values`, [
    { field: 'body', reason: 'too_many_values', max: MAX_JSON_VALUES },
  ]);
}
