import { type Markup, splitMarkdown } from '../outbound/split-markdown.js';

/** https://docs.discord.com/developers/resources/message#create-message; counted in UTF-16 units, the strictest reading. */
export const DISCORD_LIMIT = 2_000;
/** What Discord drops or refuses as "empty": spaces, and marks that show nothing. */
const BLANK = /[\s\u200b-\u200f\u2060-\u2064\ufeff\u00ad]/gu;

const discord: Markup = {
  limit: DISCORD_LIMIT,
  lineLimit: 1_900,
  text: prose,
  // Three backticks would end the fence: something invisible separates them.
  code: (line) => line.replaceAll('```', '`\u200b`\u200b`').replaceAll('``', '`\u200b`'),
  openCode: (language) => `\`\`\`${language}\n`,
  closeCode: '\n```',
  isBlank: (text) => text.replace(BLANK, '') === '',
};

/**
 * Markdown as messages that Discord accepts and understands. It knows no fences of four backticks or tildes, no images,
 * and underlines what Markdown makes bold by `__`. Nothing for blank text.
 */
export function discordMarkdown(markdown: string): string[] {
  return splitMarkdown(markdown, discord);
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
