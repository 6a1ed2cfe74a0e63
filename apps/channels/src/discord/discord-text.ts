import type { APIEmbed, APIMessage, GatewayMessageCreateDispatchData } from 'discord-api-types/v10';
import { bracketed, oneLine, MAX_PARTS, quotedText } from '../inbound/context-text.js';

/** What of a message names other things than text. */
type Parts = Pick<APIMessage, 'content' | 'embeds'> &
  Partial<Pick<APIMessage, 'sticker_items' | 'poll' | 'attachments' | 'mentions' | 'mention_channels'>>;

/**
 * What a person reads: https://docs.discord.com/developers/reference#message-formatting. Without the mention of `mine`,
 * the bot and its role; code is left as it is, since Discord does so too.
 */
export function plainText(text: string, message: Partial<Parts>, mine: readonly string[]): string {
  return text
    .replace(/```[\s\S]*?```|``[^\n]*?``|`[^`\n]+`|<[^<>\s]+>/g, (part) =>
      part.startsWith('<') ? wordsOf(part, message, mine) : part,
    )
    .trim();
}

function wordsOf(
  part: string,
  { mentions, mention_channels: channels }: Partial<Parts>,
  mine: readonly string[],
): string {
  const [, kind = '', id = ''] = /^<(@!?|@&|#)(\d+)>$/.exec(part) ?? [];
  if (kind === '#') return `#${channels?.find((channel) => channel.id === id)?.name ?? id}`;
  if (kind === '@&') return mine.includes(id) ? '' : `@role ${id}`;
  if (kind) return mine.includes(id) ? '' : `@${mentions?.find((user) => user.id === id)?.username ?? id}`;
  const emoji = /^<a?(:\w+:)\d+>$/.exec(part)?.[1];
  if (emoji) return emoji;
  const command = /^<(\/[^:<>]+):\d+>$/.exec(part)?.[1];
  if (command) return command;
  const seconds = Number(/^<t:(-?\d{1,12})(?::[a-zA-Z])?>$/.exec(part)?.[1] ?? Number.NaN);
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? part : date.toISOString();
}

/** The quoted message, what was forwarded, and everything that Discord shows as something else than text. */
export function contextOf(message: GatewayMessageCreateDispatchData, mine: readonly string[]): string[] {
  const reply = message.referenced_message;
  const snapshots = message.message_snapshots ?? [];
  return [
    ...(reply
      ? [quotedText(`In reply to ${reply.author.global_name ?? reply.author.username}`, allOf(reply, mine))]
      : []),
    ...snapshots.slice(0, MAX_PARTS).map(({ message: forwarded }) => quotedText('Forwarded', allOf(forwarded, mine))),
    ...specialsOf(message, mine),
  ].slice(0, MAX_PARTS);
}

function allOf(parts: Parts, mine: readonly string[]): string {
  const files = (parts.attachments ?? []).slice(0, MAX_PARTS).map(({ filename }) => bracketed('File', filename));
  return [plainText(parts.content, parts, mine), ...specialsOf(parts, mine), ...files].filter(Boolean).join('\n');
}

function specialsOf({ embeds, sticker_items: stickers, poll }: Parts, mine: readonly string[]): string[] {
  const answers = poll?.answers.slice(0, MAX_PARTS).map(({ poll_media: { text } }) => `• ${text ?? ''}`) ?? [];
  return [
    ...(stickers ?? []).slice(0, MAX_PARTS).map(({ name }) => bracketed('Sticker', name)),
    ...(poll ? [bracketed('Poll', poll.question.text, ...answers)] : []),
    ...embeds.slice(0, MAX_PARTS).flatMap((embed) => cardOf(embed, mine)),
  ];
}

/** Bots, webhooks and links show cards. */
function cardOf({ title, description, url, author, fields, footer }: APIEmbed, mine: readonly string[]): string[] {
  const texts = [
    title,
    description && plainText(description, {}, mine),
    ...(fields ?? []).slice(0, MAX_PARTS).map(({ name, value }) => `${oneLine(name)}: ${oneLine(value)}`),
    footer?.text,
    url,
  ].filter(Boolean);
  return texts.length > 0 ? [quotedText(author?.name ? `Card of ${author.name}` : 'Card', texts.join('\n'))] : [];
}
