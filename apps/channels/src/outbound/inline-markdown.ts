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
