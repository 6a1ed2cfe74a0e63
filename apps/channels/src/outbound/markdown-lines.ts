/** One line of a message as its platform is to show it; code lines stand inside a fence. */
export interface Line {
  text: string;
  /** Number of the fenced block it belongs to; undefined for prose. */
  block: number | undefined;
  /** Language of the fence. */
  language: string;
  /** It goes on where the line before was cut: no line break between them. */
  isContinued: boolean;
}

/** How a platform writes one line. */
export interface LineMarkup {
  /** Most characters of one line: below a part's, so that the fence around code still fits. */
  lineLimit: number;
  /** One line outside code. */
  text(line: string): string;
  /** One line of code. */
  code(line: string): string;
}

/** Small patterns after each other: one for the whole of a line would take a long line's length squared. */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LANGUAGE = /^\s*([\w+#.-]{0,40})/;
const RULE_CELL = /^:?-+:?$/;

function fenceOf(line: string): { marker: string; language: string } | undefined {
  const [start = '', marker] = FENCE.exec(line) ?? [];
  const rest = line.slice(start.length);
  if (marker === undefined || rest.includes('`')) return undefined;
  return { marker, language: LANGUAGE.exec(rest)?.[1] ?? '' };
}

/** The line below a table's head: at least two cells of dashes. */
function isTableRule(line: string): boolean {
  const cells = line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|');
  return cells.length > 1 && cells.every((cell) => RULE_CELL.test(cell.trim()));
}

/** Markdown in lines that a platform shows. Tables, which none of them has, are shown as code, so that columns stay aligned. */
export function linesOf(markdown: string, markup: LineMarkup): Line[] {
  const lines: Line[] = [];
  const sources = markdown.split(/\r?\n/);
  let blocks = 0;
  let fence: { marker: string; language: string } | undefined;
  let isTable = false;
  const add = (source: string, language?: string) => {
    const convert = language === undefined ? markup.text : markup.code;
    fitting(source, markup.lineLimit, convert).forEach((text, index) => {
      const block = language === undefined ? undefined : blocks;
      lines.push({ text, block, language: language ?? '', isContinued: index > 0 });
    });
  };
  sources.forEach((source, index) => {
    const mark = fenceOf(source);
    const marker = mark?.marker ?? '';
    if (fence) {
      const isEnd = marker.startsWith(fence.marker) && source.trim() === marker;
      if (isEnd) fence = undefined;
      else add(source, fence.language);
      return;
    }
    if (isTable && source.includes('|')) return add(source, '');
    isTable = source.includes('|') && isTableRule(sources[index + 1] ?? '');
    if (isTable) {
      blocks += 1;
      add(source, '');
    } else if (mark) {
      blocks += 1;
      fence = mark;
      // Text behind the language is not shown by platforms; it is put as the first line.
      const rest = source.trim().slice(marker.length).trim().slice(fence.language.length).trim();
      if (rest) add(rest, fence.language);
    } else add(source);
  });
  return lines;
}

/** Cuts a line, at a space if there is one near, until each piece fits when converted. */
function fitting(source: string, limit: number, convert: (piece: string) => string): string[] {
  const pieces: string[] = [];
  for (let rest = source; ;) {
    let cut = rest.length;
    let written = '';
    // What is cut inside an emphasis, a link or a code span is shown with its marks.
    for (;;) {
      written = cut > limit ? '' : convert(rest.slice(0, cut));
      if (cut <= limit && written.length <= limit) break;
      const share = cut > limit ? limit / cut : limit / written.length;
      cut = cutBefore(rest, Math.max(1, Math.min(cut - 1, Math.floor(cut * share))));
    }
    pieces.push(written);
    if (cut >= rest.length) return pieces;
    rest = rest.slice(cut);
  }
}

/** Never between the halves of a surrogate pair, nor inside an emoji or a letter with its marks if that can be helped. */
function cutBefore(source: string, end: number): number {
  const space = source.lastIndexOf(' ', end - 1);
  if (space > end / 2) return space + 1;
  let cut = end;
  while (cut > 1 && end - cut < 32 && isInside(source, cut)) cut -= 1;
  if (cut > 1 && !isInside(source, cut)) return cut;
  return end > 1 && /[\uDC00-\uDFFF]/.test(source.charAt(end)) ? end - 1 : end;
}

function isInside(source: string, at: number): boolean {
  const before = source.charAt(at - 1);
  const after = String.fromCodePoint(source.codePointAt(at) ?? 0x20);
  return /[\u200d\uD800-\uDBFF]/.test(before) || /[\u200d\uDC00-\uDFFF\p{M}\p{Emoji_Modifier}]/u.test(after);
}
