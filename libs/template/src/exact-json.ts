import { randomBytes } from 'node:crypto';

/**
 * Precedes the digits of a number while they are a string: secret and new in each process, so that no text that
 * somebody sends begins with it.
 */
const MARK = `${randomBytes(12).toString('base64url')}:`;
const MARKED = new RegExp(`"${MARK}([^"]+)"`, 'g');
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What one pass over a JSON text finds out; of text that is no JSON, too. */
export interface JsonShape {
  /** Levels of arrays and objects. */
  depth: number;
  values: number;
  /** Where numbers stand that would lose digits: begin and end of each, in their order. */
  inexact: [number, number][];
}

/** Stops where `mostValues` are exceeded. */
export function jsonShape(text: string, mostValues = Infinity): JsonShape {
  const inexact: [number, number][] = [];
  let depth = 0;
  let deepest = 0;
  let values = 1;
  for (let at = 0; at < text.length && values <= mostValues; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COMMA) values += 1;
    else if (code === 0x5b || code === 0x7b) {
      deepest = Math.max(deepest, (depth += 1));
      values += 1;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const [digits = ''] = NUMBER.exec(text) ?? [];
      if (digits === '') continue;
      if (String(Number(digits)) !== digits) inexact.push([at, at + digits.length]);
      at += digits.length - 1;
    }
  }
  return { depth: deepest, values, inexact };
}

/** Where the quote is that ends the string which begins at `at`; the end of the text where none does. */
function endOfString(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text.charCodeAt(quote - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote;
  }
  return text.length;
}

/**
 * Reads JSON with every number as it was sent: one that would lose digits is a marked string, which `exactText` and
 * `exactJson` write as the number. A key that comes twice
 * has its last value and `__proto__` is a key like any other, as for `JSON.parse`, which does the work: reading a megabyte
 * character by character took a quarter of a second. Errors: SyntaxError.
 */
export function parseExactJson(text: string, { inexact }: JsonShape = jsonShape(text)): unknown {
  if (inexact.length === 0) return JSON.parse(text);
  const parts: string[] = [];
  let end = 0;
  for (const [from, to] of inexact) {
    parts.push(text.slice(end, from), `"${MARK}${text.slice(from, to)}"`);
    end = to;
  }
  parts.push(text.slice(end));
  return JSON.parse(parts.join(''));
}

/** A string of such JSON as text: as it is, or the digits of a number. */
export const exactText = (text: string): string => (text.startsWith(MARK) ? text.slice(MARK.length) : text);

/** As JSON, with the digits that were sent. */
export function exactJson(value: unknown): string | undefined {
  // The type does not say so: undefined, functions and symbols are no JSON.
  const text = JSON.stringify(value) as string | undefined;
  return text?.replace(MARKED, '$1');
}
