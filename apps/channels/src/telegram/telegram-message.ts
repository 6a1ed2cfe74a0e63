import type { InboundFile, InboundMessage } from '../adapters/channel-adapter.js';

interface TelegramFile {
  file_id: string;
  file_unique_id: string;
  file_size?: number;
  file_name?: string;
}

/** What we read of https://core.telegram.org/bots/api#message. */
export interface TelegramMessage {
  message_id: number;
  chat: { id: number; type: string };
  from?: { id: number; is_bot?: boolean; first_name?: string; last_name?: string; username?: string };
  message_thread_id?: number;
  is_topic_message?: boolean;
  text?: string;
  caption?: string;
  reply_to_message?: { from?: { id: number } };
  document?: TelegramFile;
  photo?: TelegramFile[];
  audio?: TelegramFile;
  voice?: TelegramFile;
  video?: TelegramFile;
  video_note?: TelegramFile;
}

export interface TelegramUpdate {
  update_id: number;
  message?: TelegramMessage;
}

/** A person's message, or undefined for anything else: bots are not listened to, so that two never talk forever. */
export function inboundOf(update: TelegramUpdate, me: { id: number; username: string }): InboundMessage | undefined {
  const { message } = update;
  if (!message?.from || message.from.is_bot) return undefined;
  const { from, chat } = message;
  const mention = new RegExp(`@${me.username}\\b`, 'gi');
  const written = message.text ?? message.caption ?? '';
  const text = written.replace(mention, '').trim();
  // A command for another bot of the group.
  if (/^\/\w+@\w/.test(text)) return undefined;
  return {
    eventId: String(update.update_id),
    place: message.is_topic_message ? `${chat.id}/${message.message_thread_id}` : String(chat.id),
    isDirect: chat.type === 'private',
    isAddressed: mention.test(written) || message.reply_to_message?.from?.id === me.id,
    sender: {
      id: String(from.id),
      username: from.username ?? null,
      displayName: [from.first_name, from.last_name].filter(Boolean).join(' ') || String(from.id),
    },
    text,
    files: filesOf(message),
  };
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
