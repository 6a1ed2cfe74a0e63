/** A row of a text that is shown exactly. */
export type ExactRow =
  /** `isRest`: what a long line goes on with. */
  | { kind: 'line'; number: number; text: string; isRest: boolean }
  /** Lines without anything in them: many would push what follows out of sight. */
  | { kind: 'blank'; from: number; to: number };

/** A piece of a row: text as it is, or a character that nobody would see. */
export type ExactPart = { text: string } | { mark: string };

/** Beyond it a line is cut into rows, so that none is slow to draw. */
const MAX_ROW_CHARS = 800;
const MAX_BLANK_LINES = 2;
const MAX_SPACES = 8;

/**
 * Everything that is drawn as nothing, or changes how its neighbours are drawn: controls and format characters (bidi marks
 * among them), what fonts may ignore (variation selectors, fillers), separators, spaces that are none of U+0020, and what
 * no character has (Unicode TR 36 and 39). Long runs of plain spaces, too: they push what follows out of sight.
 */
const HIDDEN = new RegExp(`[\\p{C}\\p{DI}\\p{Zl}\\p{Zp}\\u2800]|(?! )\\p{Zs}| {${MAX_SPACES + 1},}`, 'gu');

/** A text as rows of its lines. Pure; linear in the text. */
export function exactRows(text: string): ExactRow[] {
  const rows: ExactRow[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const end = endOfBlank(lines, at);
    if (end - at > MAX_BLANK_LINES) {
      rows.push({ kind: 'blank', from: at + 1, to: end });
      at = end - 1;
    } else rows.push(...rowsOf(lines[at] ?? '', at + 1));
  }
  return rows;
}

/** The first line at or after this one with something to be seen in it. */
function endOfBlank(lines: string[], from: number): number {
  let end = from;
  while (end < lines.length && /^ *$/.test(lines[end] ?? '')) end += 1;
  return end;
}

function rowsOf(line: string, number: number): ExactRow[] {
  if (line.length <= MAX_ROW_CHARS) return [{ kind: 'line', number, text: line, isRest: false }];
  const rows: ExactRow[] = [];
  for (let from = 0; from < line.length;) {
    let to = Math.min(line.length, from + MAX_ROW_CHARS);
    // Between the halves of a character there is nothing to cut.
    if (/[\uD800-\uDBFF]/.test(line[to - 1] ?? '')) to += 1;
    rows.push({ kind: 'line', number, text: line.slice(from, to), isRest: from > 0 });
    from = to;
  }
  return rows;
}

/** A row with a mark in place of each character that would not be seen. */
export function exactParts(text: string): ExactPart[] {
  const parts: ExactPart[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    if (index > from) parts.push({ text: text.slice(from, index) });
    parts.push({ mark: markOf(found) });
    from = index + found.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

const markOf = (found: string): string =>
  found.startsWith('  ')
    ? `${found.length} spaces`
    : `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
