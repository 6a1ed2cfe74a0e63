import type { InboundFile, InboundMessage } from '../adapters/channel-adapter.js';
import { contextOf, nameOf, type TelegramParts, type TelegramPerson, writtenIn } from './telegram-context.js';
import { addressesIn, type Edit, edited } from './telegram-links.js';

interface TelegramFile {
  file_id: string;
  file_unique_id: string;
  file_size?: number;
  file_name?: string;
}

/** What we read of https://core.telegram.org/bots/api#message. */
export type TelegramMessage = Omit<TelegramParts, 'reply_to_message' | 'photo'> & {
  message_id: number;
  chat: { id: number; type: string };
  from?: TelegramPerson;
  message_thread_id?: number;
  is_topic_message?: boolean;
  media_group_id?: string;
  migrate_to_chat_id?: number;
  migrate_from_chat_id?: number;
  reply_to_message?: TelegramParts & { message_id: number; forum_topic_created?: object };
  document?: TelegramFile;
  photo?: TelegramFile[];
  audio?: TelegramFile;
  voice?: TelegramFile;
  video?: TelegramFile;
  video_note?: TelegramFile;
};

export interface TelegramUpdate {
  update_id: number;
  message?: TelegramMessage;
  /** https://core.telegram.org/bots/api#callbackquery */
  callback_query?: {
    id: string;
    from: TelegramPerson;
    data?: string;
    message?: Pick<TelegramMessage, 'chat' | 'message_thread_id' | 'is_topic_message'>;
  };
}

/** Service messages of https://core.telegram.org/bots/api#message: what Telegram notes in a chat, and nobody wrote. */
const NOTICES = new Set(
  `new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title new_chat_photo delete_chat_photo
  group_chat_created supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id
  migrate_from_chat_id pinned_message successful_payment refunded_payment users_shared chat_shared gift unique_gift
  gift_upgrade_sent connected_website write_access_allowed passport_data proximity_alert_triggered boost_added
  chat_background_set checklist_tasks_done checklist_tasks_added direct_message_price_changed forum_topic_created
  forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden
  giveaway_created giveaway_completed paid_message_price_changed suggested_post_approved suggested_post_approval_failed
  suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started
  video_chat_ended video_chat_participants_invited web_app_data`.split(/\s+/),
);

/**
 * A person's message, or undefined for anything else: notices, and bots, which are not listened to, so that two never talk
 * forever.
 */
export function inboundOf(update: TelegramUpdate, me: { id: number; username: string }): InboundMessage | undefined {
  const { message } = update;
  const sender = message && senderOf(message);
  if (!sender || Object.keys(message).some((part) => NOTICES.has(part))) return undefined;
  const { chat } = message;
  // Not within a word: an e-mail address is no mention.
  const mention = new RegExp(`(?<!\\w)@${me.username}\\b`, 'gi');
  // A command's own ending `@bot` belongs to no word either.
  const ending = new RegExp(`(?<=^/\\w+)@${me.username}\\b`, 'gi');
  const [written, entities] = writtenIn(message);
  const mentions = [mention, ending].flatMap((form) => [...written.matchAll(form)].map(cut));
  // At once: entities count by the text as it was sent, and an address that has the bot's name in it mentions nobody.
  const text = edited(written, [...addressesIn(written, entities), ...mentions]).trim();
  const isDirect = chat.type === 'private';
  // A command for another bot of the group.
  if (!isDirect && /^\/\w+@\w/.test(text)) return undefined;
  const context = contextOf(message);
  const { reply_to_message: repliedTo } = message;
  const isReply = repliedTo?.from?.id === me.id;
  return {
    eventId: String(update.update_id),
    place: message.is_topic_message ? `${chat.id}/${message.message_thread_id}` : String(chat.id),
    isDirect,
    isAddressed: new RegExp(`@${me.username}\\b`, 'i').test(written) || isReply,
    sender,
    text,
    ...(context.length > 0 ? { context } : {}),
    ...(isReply && !repliedTo.forum_topic_created ? { replyTo: String(repliedTo.message_id) } : {}),
    ...(message.media_group_id === undefined ? {} : { album: message.media_group_id }),
    files: filesOf(message),
  };
}

const cut = ({ index, 0: { length } }: RegExpExecArray): Edit => ({ from: index, to: index + length, put: '' });

function senderOf({ from, sender_chat: behalf }: TelegramMessage): InboundMessage['sender'] | undefined {
  if (behalf) {
    const { id, username, title } = behalf;
    return { id: String(id), username: username ?? null, displayName: title ?? username ?? String(id), isChat: true };
  }
  if (!from || from.is_bot) return undefined;
  return { id: String(from.id), username: from.username ?? null, displayName: nameOf(from) || String(from.id) };
}

/** Photos, voice and video messages have no name of their own. */
function filesOf({ document, photo, audio, voice, video, video_note }: TelegramMessage): InboundFile[] {
  const largest = photo?.at(-1);
  const found: [TelegramFile | undefined, string][] = [
    [document, 'file'],
    [largest, 'photo.jpg'],
    [audio, 'audio.mp3'],
    [voice, 'voice.ogg'],
    [video, 'video.mp4'],
    [video_note, 'video-note.mp4'],
  ];
  return found.flatMap(([file, name]) =>
    file ? [{ reference: file.file_id, name: file.file_name ?? name, sizeBytes: file.file_size ?? null }] : [],
  );
}

/** A group that became a supergroup says so in both: https://core.telegram.org/bots/api#message */
export function moveOf({ message }: TelegramUpdate): { from: string; to: string } | undefined {
  const { migrate_to_chat_id: to, migrate_from_chat_id: from, chat } = message ?? {};
  if (!chat) return undefined;
  if (to !== undefined) return { from: String(chat.id), to: String(to) };
  return from === undefined ? undefined : { from: String(from), to: String(chat.id) };
}
