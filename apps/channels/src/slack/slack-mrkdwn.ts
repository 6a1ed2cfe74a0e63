import { convertLine, type InlineMarkup } from '../outbound/inline-markdown.js';
import { type Markup, splitMarkdown } from '../outbound/split-markdown.js';

/**
 * Slack cuts messages at 40,000 characters, but refuses to edit above 4,000 (`msg_too_long`), and replies are edited
 * while they are written. https://docs.slack.dev/reference/methods/chat.update
 */
export const SLACK_LIMIT = 3_900;
/** Breaks up three backticks inside code, which would end it; not seen. */
const JOINER = '\u2060';

const inlineMrkdwn: InlineMarkup = {
  plain: escapeSlack,
  code: (text) => `\`${escapeSlack(text)}\``,
  bold: (inner) => `*${inner}*`,
  italic: (inner) => `_${inner}_`,
  strike: (inner) => `~${inner}~`,
  // A bar would end the address, and a label with it is cut there.
  link: (text, url) => `<${escapeSlack(url).replaceAll('|', '%7C')}|${escapeSlack(text)}>`,
};

const mrkdwn: Markup = {
  limit: SLACK_LIMIT,
  lineLimit: 3_500,
  text: (line) => convertLine(line, inlineMrkdwn),
  code: (line) => escapeSlack(line).replaceAll('``', `\`${JOINER}\``),
  openCode: () => '```\n',
  closeCode: '\n```',
  isBlank: (text) => visibleInSlack(text).trim() === '',
};

/**
 * Markdown to Slack's mrkdwn, in parts that can be edited. Nothing in it can mention a person, a channel or everybody:
 * what Slack would read as control characters is escaped.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
export function slackMrkdwn(markdown: string): string[] {
  return splitMarkdown(markdown, mrkdwn);
}

export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The text a reader sees, with the marks that Slack turns into style. */
export function visibleInSlack(text: string): string {
  return text
    .replace(/<[^<>|]*\|([^<>]*)>/g, '$1')
    .replace(/^```$/gm, '')
    .replaceAll(JOINER, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
