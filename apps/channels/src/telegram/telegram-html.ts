import { convertLine, type InlineMarkup } from '../outbound/inline-markdown.js';
import { type Markup, splitMarkdown } from '../outbound/split-markdown.js';

export const TELEGRAM_LIMIT = 4_096;

const inlineHtml: InlineMarkup = {
  plain: escapeHtml,
  code: (text) => `<code>${escapeHtml(text)}</code>`,
  bold: (inner) => `<b>${inner}</b>`,
  italic: (inner) => `<i>${inner}</i>`,
  strike: (inner) => `<s>${inner}</s>`,
  link: (text, url) => `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`,
};

const html: Markup = {
  limit: TELEGRAM_LIMIT,
  lineLimit: 3_500,
  text: (line) => convertLine(line, inlineHtml),
  code: escapeHtml,
  openCode: (language) => (language ? `<pre><code class="language-${language}">` : '<pre><code>'),
  closeCode: '</code></pre>',
  isBlank: (text) => visible(text).trim() === '',
};

/**
 * Markdown to Telegram's HTML in parts of at most 4,096 characters, tags closed in every part.
 * Source of the tags and the limit: https://core.telegram.org/bots/api#html-style. Bounded by the markup's length,
 * which is never below the visible text's that Telegram counts.
 */
export function telegramHtml(markdown: string): string[] {
  return splitMarkdown(markdown, html);
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
