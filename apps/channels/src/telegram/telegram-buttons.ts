import type { CardButton, InboundMessage } from '../adapters/channel-adapter.js';
import { pressId, pressOfId } from '../adapters/press-id.js';
import { nameOf } from './telegram-context.js';
import type { TelegramUpdate } from './telegram-message.js';

/** https://core.telegram.org/bots/api#inlinekeyboardmarkup: a button a line, since names are cut where they share one. */
export function keyboardOf(buttons: CardButton[]) {
  return { inline_keyboard: buttons.map((button) => [{ text: button.label, callback_data: pressId(button) }]) };
}

/** A press of one of our buttons, or undefined for any other update. A message that is too old comes without its chat. */
export function pressOf({ update_id: updateId, callback_query: query }: TelegramUpdate): InboundMessage | undefined {
  const press = pressOfId(query?.data);
  if (!query || !press) return undefined;
  const { from, message } = query;
  const chat = message?.chat ?? { id: from.id, type: 'private' };
  return {
    eventId: String(updateId),
    place: message?.is_topic_message ? `${chat.id}/${message.message_thread_id}` : String(chat.id),
    isDirect: chat.type === 'private',
    isAddressed: true,
    sender: { id: String(from.id), username: from.username ?? null, displayName: nameOf(from) || String(from.id) },
    text: '',
    files: [],
    press,
    answerTo: query.id,
  };
}
