import { type ShownInTelegram, TelegramPlatform } from '#lib/testing';
import { visible } from '../../src/telegram/telegram-html.js';
import type { PlatformDouble, ShownCard } from './platform-double.js';

const TELEGRAM_TOKEN = '4242:testtoken';

const LIMIT = { error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 3_600 } };

export async function telegramDouble(): Promise<PlatformDouble> {
  const telegram = await TelegramPlatform.start();
  telegram.addBot(TELEGRAM_TOKEN);
  const cardsOf = (shown: ShownInTelegram[]): ShownCard[] =>
    shown.flatMap(({ text, buttons: keyboard, edits }) => {
      const buttons = Object.fromEntries(keyboard.map(({ text: label, callback_data: data }) => [label, data]));
      return text === undefined ? [] : [{ text: visible(text), buttons, edits }];
    });
  const cards = (person: number) => cardsOf(telegram.shown.filter(({ chatId }) => chatId === String(person)));
  return {
    platform: 'telegram',
    variables: { TELEGRAM_API_BASE_URL: telegram.url },
    bot: { telegramBotToken: TELEGRAM_TOKEN },
    sharedBot: { TELEGRAM_BOT_TOKEN: TELEGRAM_TOKEN },
    async say(person, text) {
      const update = await telegram.say(TELEGRAM_TOKEN, person, text);
      return () => telegram.deliver(TELEGRAM_TOKEN, update);
    },
    garble: async (person) => void (await telegram.say(TELEGRAM_TOKEN, person, 'not as documented', { chat: null })),
    shown: (person) => telegram.textsIn(person),
    lastCard: (person) => cards(person).at(-1),
    cards,
    files: (person) =>
      telegram.shown.flatMap(({ chatId, file }) =>
        file && chatId === String(person) ? [{ name: file.name, text: file.bytes.toString() }] : [],
      ),
    async press(owner, carried, presser = owner) {
      const last = telegram.shown.findLast(({ chatId, text }) => chatId === String(owner) && text !== undefined);
      const { id, update } = await telegram.press(TELEGRAM_TOKEN, presser, last?.messageId ?? 0, carried);
      const again = () => telegram.deliver(TELEGRAM_TOKEN, update);
      return { again, answers: () => [telegram.answers.get(id)].flatMap((text) => text ?? []) };
    },
    visible,
    dropSockets: () => void (telegram.faults['getUpdates'] = [{ error_code: 0, description: 'the connection is cut' }]),
    failEdits: (times) =>
      void (telegram.faults['editMessageText'] = Array.from({ length: times }, () => ({
        error_code: 502,
        description: 'Bad Gateway',
      }))),
    failNextSend: () => void (telegram.faults['sendMessage'] = [{ error_code: 502, description: 'Bad Gateway' }]),
    limitNextSend() {
      telegram.faults['sendMessage'] = [LIMIT];
      return () => undefined;
    },
    sends: () => telegram.calls['sendMessage'] ?? 0,
    limitNextEdit: () => void (telegram.faults['editMessageText'] = [LIMIT]),
    edits: () => telegram.calls['editMessageText'] ?? 0,
    block(person) {
      telegram.rules.refuse(person);
      return () => telegram.rules.accept(person);
    },
    deleteLast(person) {
      telegram.shown.splice(
        telegram.shown.findLastIndex(({ chatId }) => chatId === String(person)),
        1,
      );
    },
    async thread(person, question) {
      const topic = { chat: { id: -100_500, type: 'supergroup' }, message_thread_id: 9, is_topic_message: true };
      await telegram.say(TELEGRAM_TOKEN, person, `@roost_bot ${question}`, topic);
      const isAbove = ({ chatId, topic: at }: ShownInTelegram) => chatId === '-100500' && at === undefined;
      const within = () => telegram.shown.filter(({ chatId, topic: at }) => chatId === '-100500' && at === '9');
      // Formally every message of a topic replies to its beginning.
      const beginning = { reply_to_message: { message_id: 9, forum_topic_created: {}, from: { id: person } } };
      return {
        delete: () => Promise.resolve(telegram.rules.deleteTopic(-100_500, 9)),
        shownAbove: () => telegram.shown.filter(isAbove).flatMap(({ text }) => text ?? []),
        say: async (who, text) => void (await telegram.say(TELEGRAM_TOKEN, who, text, { ...topic, ...beginning })),
        async answer(who, text) {
          const { messageId, text: shown } = within().at(-1) ?? {};
          const from = { id: 4242, is_bot: true, first_name: 'Robin' };
          const reply_to_message = { message_id: messageId, from, text: shown };
          await telegram.say(TELEGRAM_TOKEN, who, text, { ...topic, reply_to_message });
        },
        cards: () => cardsOf(within()),
      };
    },
    revoke: () => telegram.revoke(TELEGRAM_TOKEN),
    stop: () => telegram.stop(),
  };
}
