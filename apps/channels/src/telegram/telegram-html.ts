/**
 * Markdown to Telegram's HTML in parts of at most 4,096 characters, tags closed in every part.
 * Source of the tags and the limit: https://core.telegram.org/bots/api#html-style. Bounded by the markup's length,
 * which is never below the visible text's that Telegram counts.
 */
export const TELEGRAM_LIMIT = 4_096;
/** What one line may take: the fence around code must still fit. */
const LINE_LIMIT = 3_500;

interface Line {
  kind: 'text' | 'code';
  /** Language of the fence, for code. */
  language: string;
  html: string;
}

/** Converts and splits; parts without visible text are left out, since Telegram refuses them. */
export function telegramHtml(markdown: string): string[] {
  const parts: string[] = [];
  let open: Line[] = [];
  const close = () => {
    const part = render(open);
    if (visible(part).trim() !== '') parts.push(part);
    open = [];
  };
  for (const line of linesOf(markdown.toWellFormed().replaceAll('\0', ''))) {
    if (open.length > 0 && render([...open, line]).length > TELEGRAM_LIMIT) {
      const rest = takeBackParagraph(open);
      close();
      open = rest;
      if (open.length > 0 && render([...open, line]).length > TELEGRAM_LIMIT) close();
    }
    open.push(line);
  }
  close();
  return parts;
}

/** Moves what follows the last blank line to the next part, if that leaves this one at least half full. */
function takeBackParagraph(lines: Line[]): Line[] {
  const blank = lines.findLastIndex((line) => line.kind === 'text' && line.html.trim() === '');
  if (blank <= 0 || render(lines.slice(0, blank)).length < TELEGRAM_LIMIT / 2) return [];
  return lines.splice(blank).slice(1);
}

function render(lines: Line[]): string {
  let html = '';
  lines.forEach((line, index) => {
    const previous = lines[index - 1];
    const next = lines[index + 1];
    if (index > 0) html += '\n';
    if (line.kind === 'code' && !isSameBlock(previous, line)) {
      html += line.language ? `<pre><code class="language-${line.language}">` : '<pre><code>';
    }
    html += line.html;
    if (line.kind === 'code' && !isSameBlock(line, next)) html += '</code></pre>';
  });
  return html;
}

function isSameBlock(a: Line | undefined, b: Line | undefined): boolean {
  return a?.kind === 'code' && b?.kind === 'code' && a.language === b.language;
}

function linesOf(markdown: string): Line[] {
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
      for (const html of fitting(source, escapeHtml)) lines.push({ kind: 'code', language, html });
    } else {
      for (const html of fitting(source, textLine)) lines.push({ kind: 'text', language: '', html });
    }
  }
  return lines;
}

/** Halves a line, at a space if there is one near, until each piece fits when converted. */
function fitting(source: string, convert: (piece: string) => string): string[] {
  const html = convert(source);
  if (html.length <= LINE_LIMIT) return [html];
  const middle = Math.floor(source.length / 2);
  const space = source.lastIndexOf(' ', middle);
  let cut = space > middle / 2 ? space + 1 : middle;
  // Never between the halves of a surrogate pair.
  if (/[\uDC00-\uDFFF]/.test(source.charAt(cut))) cut -= 1;
  return [...fitting(source.slice(0, cut), convert), ...fitting(source.slice(cut), convert)];
}

function textLine(source: string): string {
  const heading = /^#{1,6}\s+(.+)$/.exec(source);
  return heading ? `<b>${escapeHtml(heading[1] ?? '')}</b>` : inline(source);
}

const INLINE =
  /`([^`]+)`|\*\*(?=\S)(.+?)(?<=\S)\*\*|~~(?=\S)(.+?)(?<=\S)~~|\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*|(?<![\w])_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?![\w])|\[([^[\]]+)\]\((https?:\/\/[^\s()<>"]+)\)/;

function inline(source: string, depth = 0): string {
  const match = depth > 4 ? null : INLINE.exec(source);
  if (!match) return escapeHtml(source);
  const [whole, code, bold, strike, star, underscore, label, url] = match;
  const inner = (text: string) => inline(text, depth + 1);
  const html =
    code !== undefined
      ? `<code>${escapeHtml(code)}</code>`
      : bold !== undefined
        ? `<b>${inner(bold)}</b>`
        : strike !== undefined
          ? `<s>${inner(strike)}</s>`
          : url !== undefined
            ? `<a href="${escapeHtml(url)}">${escapeHtml(label ?? '')}</a>`
            : `<i>${inner(star ?? underscore ?? '')}</i>`;
  return escapeHtml(source.slice(0, match.index)) + html + inline(source.slice(match.index + whole.length), depth);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The text a reader sees. */
export function visible(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
