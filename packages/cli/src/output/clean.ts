import { stripVTControlCharacters } from 'node:util';

/**
 * What a terminal would act on instead of showing it: control characters but line ends and tabs, and the marks that
 * change the direction of a line, by which a text shows something else than it holds.
 */
const ACTS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/g; // oxlint-disable-line no-control-regex

/** Text of agents, tools and files as a terminal may show it. Sequences are dropped whole, their pieces without effect. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(ACTS, '');
}

/** In one line, and no longer than that. */
export function inLine(text: string, most = 120): string {
  const line = clean(text).replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/**
 * What is not to be seen, or shows something else than it is: controls, marks of direction, fillers of zero width, and
 * what looks like a space and is none.
 */
const HIDDEN = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** Text in which nothing is hidden, for what somebody decides about: such characters are written out. */
export function revealed(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON of which no character acts on a terminal: they are escaped, and it means the same. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    /[\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
