import { bracketed, MAX_PARTS, quotedText } from '../inbound/context-text.js';
import { withAddresses } from './telegram-links.js';

export interface TelegramPerson {
  id: number;
  is_bot?: boolean;
  first_name?: string;
  last_name?: string;
  username?: string;
}

interface Chat {
  title?: string;
  first_name?: string;
  username?: string;
}
interface Origin {
  type: string;
  sender_user?: TelegramPerson;
  sender_user_name?: string;
  sender_chat?: Chat;
  chat?: Chat;
}
interface Coordinates {
  latitude: number;
  longitude: number;
}

/** What a message of https://core.telegram.org/bots/api#message carries besides text and files. */
export interface TelegramParts {
  from?: TelegramPerson;
  /** In whose name it was posted: a group's, whose administrator stays anonymous, or a channel's. `from` is none of both then. */
  sender_chat?: Chat & { id: number };
  text?: string;
  caption?: string;
  /** Of links and formats in `text`; `telegram-links.ts` checks them. */
  entities?: unknown;
  caption_entities?: unknown;
  quote?: { text: string; entities?: unknown };
  reply_to_message?: TelegramParts & { forum_topic_created?: object };
  external_reply?: TelegramParts & { origin?: Origin; chat?: Chat };
  forward_origin?: Origin;
  sticker?: { emoji?: string; set_name?: string };
  location?: Coordinates & { live_period?: number };
  venue?: { location: Coordinates; title: string; address: string };
  contact?: { phone_number: string; first_name: string; last_name?: string };
  poll?: { question: string; options: { text: string }[] };
  dice?: { emoji: string; value: number };
  game?: { title: string };
  story?: { chat?: Chat };
  checklist?: { title: string; tasks: { text: string }[] };
  document?: { file_name?: string };
  photo?: object[];
  audio?: { title?: string; file_name?: string };
  voice?: { duration?: number };
  video?: object;
  video_note?: object;
}

export function nameOf(person: TelegramPerson | undefined): string {
  return [person?.first_name, person?.last_name].filter(Boolean).join(' ') || (person?.username ?? '');
}

/** Quote, origin and everything that Telegram shows as something else than text, as lines for the agent. */
export function contextOf(message: TelegramParts): string[] {
  const { forward_origin: origin } = message;
  return [
    ...replyOf(message),
    ...(origin ? [bracketed('Forwarded from', originOf(origin))] : []),
    ...specialsOf(message),
  ].slice(0, MAX_PARTS);
}

/** In a topic every message is formally a reply to the topic's beginning. */
function replyOf({ quote, reply_to_message: reply, external_reply: other }: TelegramParts): string[] {
  const to = reply?.forum_topic_created ? undefined : (reply ?? other);
  if (!to) return [];
  const author = to.sender_chat?.title || nameOf(to.from) || (other?.origin ? originOf(other.origin) : '');
  const text = quote ? withAddresses(quote.text, quote.entities) : withAddresses(...writtenIn(to));
  const rest = quote ? [] : [...specialsOf(to), ...filesIn(to)];
  return [quotedText(author ? `In reply to ${author}` : 'In reply to', [text, ...rest].filter(Boolean).join('\n'))];
}

/** What was typed, as text or below a photo or file, and its entities. */
export function writtenIn({ text, entities, caption, caption_entities }: TelegramParts): [string, unknown] {
  return text === undefined ? [caption ?? '', caption_entities] : [text, entities];
}

function originOf({ sender_user, sender_user_name, sender_chat, chat }: Origin): string {
  const from = sender_chat ?? chat;
  return nameOf(sender_user) || sender_user_name || from?.title || from?.first_name || from?.username || 'somebody';
}

function specialsOf(parts: TelegramParts): string[] {
  const { sticker, location, venue, contact, poll, dice, game, story, checklist } = parts;
  const found = [
    sticker && bracketed('Sticker', sticker.emoji, sticker.set_name),
    // A venue repeats its location for old clients.
    venue && bracketed('Venue', venue.title, venue.address, ...pointOf(venue.location)),
    !venue && location && bracketed(location.live_period ? 'Live location' : 'Location', ...pointOf(location)),
    contact && bracketed('Contact', nameOf({ id: 0, ...contact }), contact.phone_number),
    poll && bracketed('Poll', poll.question, ...poll.options.slice(0, MAX_PARTS).map(({ text }) => `• ${text}`)),
    checklist &&
      bracketed('Checklist', checklist.title, ...checklist.tasks.slice(0, MAX_PARTS).map(({ text }) => `• ${text}`)),
    dice && bracketed('Dice', dice.emoji, dice.value),
    game && bracketed('Game', game.title),
    story && bracketed('Story', story.chat?.title ?? story.chat?.username),
  ];
  return found.filter((part) => typeof part === 'string');
}

function pointOf({ latitude, longitude }: Coordinates): number[] {
  return [latitude, longitude];
}

/** Files of a quoted message are named, not fetched again. */
function filesIn({ document, photo, audio, voice, video, video_note }: TelegramParts): string[] {
  const found = [
    document && bracketed('File', document.file_name),
    photo && bracketed('Photo'),
    audio && bracketed('Audio', audio.title ?? audio.file_name),
    voice && bracketed('Voice message'),
    (video ?? video_note) && bracketed('Video'),
  ];
  return found.filter((part) => typeof part === 'string');
}
