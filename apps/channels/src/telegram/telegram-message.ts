import type { InboundMessage } from '../adapters/channel-adapter.js';

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
  document?: object;
  photo?: object;
  audio?: object;
  voice?: object;
  video?: object;
}

/** A person's message, or undefined for anything else: bots are not listened to, so that two never talk forever. */
export function inboundOf(
  update: { update_id: number; message?: TelegramMessage },
  me: { id: number; username: string },
): InboundMessage | undefined {
  const { message } = update;
  if (!message?.from || message.from.is_bot) return undefined;
  const { from, chat } = message;
  const mention = new RegExp(`@${me.username}\\b`, 'gi');
  const written = message.text ?? message.caption ?? '';
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
    text: written.replace(mention, '').trim(),
    hasAttachment: Boolean(message.document ?? message.photo ?? message.audio ?? message.voice ?? message.video),
  };
}
