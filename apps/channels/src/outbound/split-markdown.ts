/** How a platform writes what the splitter found. Every function's output is what the platform counts. */
export interface Markup {
  /** Most characters of one part. */
  limit: number;
  /** Most characters of one line: below `limit`, so that the fence around code still fits. */
  lineLimit: number;
  /** One line outside code. */
  text(line: string): string;
  /** One line of code. */
  code(line: string): string;
  /** Around lines of code, `language` '' when none is named. */
  openCode(language: string): string;
  closeCode: string;
  /** The platform refuses a part in which nothing is to be seen. */
  isBlank(part: string): boolean;
}

interface Line {
  kind: 'text' | 'code';
  /** Language of the fence, for code. */
  language: string;
  written: string;
}

/**
 * Converts Markdown line by line and splits it, at a blank line if one is near; a code fence that is cut is closed and
 * opened again. No text is lost; blank parts are left out.
 */
export function splitMarkdown(markdown: string, markup: Markup): string[] {
  const { limit } = markup;
  const parts: string[] = [];
  let open: Line[] = [];
  const isFull = (line: Line) => open.length > 0 && render([...open, line], markup).length > limit;
  const close = () => {
    const part = render(open, markup);
    if (!markup.isBlank(part)) parts.push(part);
    open = [];
  };
  for (const line of linesOf(markdown.toWellFormed().replaceAll('\0', ''), markup)) {
    if (isFull(line)) {
      const rest = takeBackParagraph(open, markup);
      close();
      open = rest;
      if (isFull(line)) close();
    }
    open.push(line);
  }
  close();
  return parts;
}

/** Moves what follows the last blank line to the next part, if that leaves this one at least half full. */
function takeBackParagraph(lines: Line[], markup: Markup): Line[] {
  const blank = lines.findLastIndex((line) => line.kind === 'text' && line.written.trim() === '');
  if (blank <= 0 || render(lines.slice(0, blank), markup).length < markup.limit / 2) return [];
  return lines.splice(blank).slice(1);
}

function render(lines: Line[], { openCode, closeCode }: Markup): string {
  let written = '';
  lines.forEach((line, index) => {
    if (index > 0) written += '\n';
    if (line.kind === 'code' && !isSameBlock(lines[index - 1], line)) written += openCode(line.language);
    written += line.written;
    if (line.kind === 'code' && !isSameBlock(line, lines[index + 1])) written += closeCode;
  });
  return written;
}

function isSameBlock(a: Line | undefined, b: Line | undefined): boolean {
  return a?.kind === 'code' && b?.kind === 'code' && a.language === b.language;
}

function linesOf(markdown: string, markup: Markup): Line[] {
  const lines: Line[] = [];
  let fence: { marker: string; language: string } | undefined;
  for (const source of markdown.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,40})\s*$/.exec(source);
    if (fence && mark && mark[2] === '' && mark[1]?.startsWith(fence.marker)) {
      fence = undefined;
    } else if (!fence && mark) {
      fence = { marker: mark[1] ?? '', language: mark[2] ?? '' };
    } else if (fence) {
      const { language } = fence;
      for (const written of fitting(source, markup, markup.code)) lines.push({ kind: 'code', language, written });
    } else {
      for (const written of fitting(source, markup, markup.text)) lines.push({ kind: 'text', language: '', written });
    }
  }
  return lines;
}

/** Halves a line, at a space if there is one near, until each piece fits when converted. */
function fitting(source: string, markup: Markup, convert: (piece: string) => string): string[] {
  const written = convert(source);
  if (written.length <= markup.lineLimit) return [written];
  const middle = Math.floor(source.length / 2);
  const space = source.lastIndexOf(' ', middle);
  let cut = space > middle / 2 ? space + 1 : middle;
  // Never between the halves of a surrogate pair.
  if (/[\uDC00-\uDFFF]/.test(source.charAt(cut))) cut -= 1;
  return [...fitting(source.slice(0, cut), markup, convert), ...fitting(source.slice(cut), markup, convert)];
}

const INLINE =
  /`([^`]+)`|\*\*(?=\S)(.+?)(?<=\S)\*\*|~~(?=\S)(.+?)(?<=\S)~~|\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*|(?<![\w])_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?![\w])|\[([^[\]]+)\]\((https?:\/\/[^\s()<>"]+)\)/;

/** How a platform writes what stands within a line. `inner` is converted already, `text` is not. */
export interface InlineMarkup {
  plain(text: string): string;
  code(text: string): string;
  bold(inner: string): string;
  italic(inner: string): string;
  strike(inner: string): string;
  link(text: string, url: string): string;
}

/** One line outside code: headings become bold, emphasis, code and links what the platform has for them. */
export function convertLine(source: string, markup: InlineMarkup): string {
  const heading = /^#{1,6}\s+(.+)$/.exec(source);
  return heading ? markup.bold(markup.plain(heading[1] ?? '')) : inline(source, markup);
}

function inline(source: string, markup: InlineMarkup, depth = 0): string {
  const match = depth > 4 ? null : INLINE.exec(source);
  if (!match) return markup.plain(source);
  const [whole, code, bold, strike, star, underscore, label, url] = match;
  const inner = (text: string) => inline(text, markup, depth + 1);
  const written =
    code !== undefined
      ? markup.code(code)
      : bold !== undefined
        ? markup.bold(inner(bold))
        : strike !== undefined
          ? markup.strike(inner(strike))
          : url !== undefined
            ? markup.link(label ?? '', url)
            : markup.italic(inner(star ?? underscore ?? ''));
  const before = markup.plain(source.slice(0, match.index));
  return before + written + inline(source.slice(match.index + whole.length), markup, depth);
}
