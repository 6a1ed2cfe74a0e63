/** One line of a message as Discord is to show it; code lines stand inside a fence. */
export interface Line {
  text: string;
  /** Number of the fenced block it belongs to; undefined for prose. */
  block: number | undefined;
  /** Language of the fence. */
  language: string;
  /** It goes on where the line before was cut: no line break between them. */
  isContinued: boolean;
}

/** What one line may take: a fence around it must still fit into a message. */
const LINE_LIMIT = 1_900;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,40})[^`]*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$/;

/**
 * Markdown in lines that Discord understands. It knows no fences of four backticks or tildes, no tables (shown as
 * code, so that columns stay aligned), no images, and underlines what Markdown makes bold by `__`.
 */
export function linesOf(markdown: string): Line[] {
  const lines: Line[] = [];
  const sources = markdown.split(/\r?\n/);
  let blocks = 0;
  let fence: { marker: string; language: string } | undefined;
  let isTable = false;
  const add = (source: string, convert: (piece: string) => string, language?: string) => {
    fitting(source, convert).forEach((text, index) => {
      const block = language === undefined ? undefined : blocks;
      lines.push({ text, block, language: language ?? '', isContinued: index > 0 });
    });
  };
  sources.forEach((source, index) => {
    const mark = FENCE.exec(source);
    const marker = mark?.[1] ?? '';
    if (fence) {
      const isEnd = marker.startsWith(fence.marker) && source.trim() === marker;
      if (isEnd) fence = undefined;
      else add(source, inCode, fence.language);
      return;
    }
    if (isTable && source.includes('|')) return add(source, inCode, '');
    isTable = source.includes('|') && TABLE_RULE.test(sources[index + 1] ?? '');
    if (isTable) {
      blocks += 1;
      add(source, inCode, '');
    } else if (mark) {
      blocks += 1;
      fence = { marker, language: mark[2] ?? '' };
      // Words behind the language are no text that Discord shows; they are kept as the first line.
      const rest = source.trim().slice(marker.length).trim().slice(fence.language.length).trim();
      if (rest) add(rest, inCode, fence.language);
    } else add(source, prose);
  });
  return lines;
}

/** Three backticks would end the fence: something invisible keeps them apart. */
function inCode(text: string): string {
  return text.replaceAll('```', '`\u200b`\u200b`').replaceAll('``', '`\u200b`');
}

function prose(source: string): string {
  const heading = /^ {0,3}#{4,6}\s+(.+?)\s*#*$/.exec(source)?.[1];
  const line = heading !== undefined && !heading.includes('**') ? `**${heading}**` : source;
  // A fence inside a line would swallow what follows it.
  return line
    .split(/(`[^`]+`)/)
    .map((piece, index) => (index % 2 === 1 ? piece : inline(piece)))
    .join('')
    .replaceAll('```', '`\u200b`\u200b`');
}

function inline(text: string): string {
  return text
    .replace(/!\[([^\]]*)\]\(([^\s()]+)\)/g, (_, alt: string, url: string) => (alt ? `[${alt}](${url})` : url))
    .replace(/(?<![\w\\_])__(?=[^\s_])([^_]+?)(?<=[^\s_])__(?![\w_])/g, '**$1**');
}

/** Cuts a line, at a space if there is one near, until each piece fits when converted. */
function fitting(source: string, convert: (piece: string) => string): string[] {
  const whole = convert(source);
  if (whole.length <= LINE_LIMIT) return [whole];
  const end = Math.min(LINE_LIMIT, source.length - 1, Math.ceil(source.length * (LINE_LIMIT / whole.length)));
  const cut = cutBefore(source, Math.max(1, end));
  const head = source.slice(0, cut);
  // What is cut inside an emphasis, a link or a code span is shown with its marks.
  const first = convert(head);
  const fits = first.length <= LINE_LIMIT ? [first] : fitting(head, convert);
  return [...fits, ...fitting(source.slice(cut), convert)];
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
