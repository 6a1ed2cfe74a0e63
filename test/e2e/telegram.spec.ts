import { TelegramPlatform, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPerson, chatJourney, type ChatRoost, link, startChatRoost } from './chat-journey.js';

const MEGABYTE = 1024 ** 2;

describe.each([{ mode: 'polling' }, { mode: 'webhook' }])('a person in Telegram, by $mode', ({ mode }) => {
  let telegram: TelegramPlatform;
  let roost: ChatRoost;
  let bots = 0;

  beforeAll(async () => {
    telegram = await TelegramPlatform.start();
    roost = await startChatRoost({
      TELEGRAM_API_BASE_URL: telegram.url,
      TELEGRAM_UPDATES: mode,
      PUBLIC_URL: 'https://roost.example',
    });
    telegram.webhookOrigin = roost.url;
  });
  afterAll(async () => {
    await roost.stop();
    await telegram.stop();
  });

  const agent = async (more: object = {}) => {
    const token = `${5_000 + bots++}:token-of-a-bot-as-botfather-gives-it`;
    telegram.addBot(token);
    const body = { name: 'Robin', telegram_bot_token: token, ...more };
    const created = await roost.api<{ id: string }>('POST', '/v1/agent/create', body);
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    await until('the bot is connected', async () => {
      const { body: list } = await roost.api<{ channels: { type: string; health: string }[] }>(
        'GET',
        `/v1/agent/${created.body.id}/channels`,
      );
      return list.channels.some(({ type, health }) => type === 'telegram' && health === 'connected');
    });
    return { agentId: created.body.id, token };
  };
  const personOf = (token: string, userId: number): ChatPerson => {
    const shown = () => telegram.shown.filter(({ chatId }) => chatId === String(userId));
    return {
      say: async (text) => void (await telegram.say(token, userId, text)),
      sendFile: async (text, name, bytes) =>
        void (await telegram.say(token, userId, '', {
          ...(text ? { caption: text } : {}),
          ...telegram.document(name, bytes),
        })),
      texts: () => telegram.textsIn(userId),
      files: () => shown().flatMap(({ file }) => (file ? [file] : [])),
      edits: () => shown().findLast(({ file }) => !file)?.edits ?? 0,
    };
  };

  it('links, chats, sees the reply as it is written, swaps files, stops and unlinks', async () => {
    const { agentId, token } = await agent();
    const webhook = `https://roost.example/v1/channels/telegram/${token.split(':')[0]}/webhook`;
    expect(telegram.webhookOf(token)?.url).toBe(mode === 'webhook' ? webhook : undefined);
    await chatJourney(roost, agentId, 'telegram', personOf(token, 7));
  });

  it.skipIf(mode === 'webhook')('says that a file of 50 MB cannot be taken here, and takes the message', async () => {
    const { agentId, token } = await agent();
    const person = personOf(token, 8);
    await link(roost, agentId, 'telegram', person);
    const file = telegram.document('film.mkv', Buffer.alloc(10), 50 * MEGABYTE);
    await telegram.say(token, 8, '', { caption: 'still there?', ...file });
    await until('the bot says so', () => person.texts().some((text) => text.includes('at most 20 MB')));
    await until('the agent answers', () => person.texts().some((text) => text.includes('I am still here')));
  });

  it.skipIf(mode === 'polling')('processes an update once, however often it comes', async () => {
    const { agentId, token } = await agent();
    const person = personOf(token, 9);
    await link(roost, agentId, 'telegram', person);
    const update = await telegram.say(token, 9, 'still there?');
    await until('the agent answers', () => person.texts().some((text) => text.includes('I am still here')));
    await telegram.deliver(token, update);
    await telegram.say(token, 9, '/status');
    await until('the bot is through', () => person.texts().at(-1)?.includes('Linked with agent'));
    const { body } = await roost.api<{ messages: { role: string }[] }>('GET', `/v1/agent/${agentId}/messages`);
    expect(body.messages.filter(({ role }) => role === 'user')).toHaveLength(1);
  });

  it.skipIf(mode === 'webhook')('asks an administrator who stays anonymous to write as a person', async () => {
    const { token } = await agent();
    await telegram.say(token, 10, '@roost_bot are you there?', {
      chat: { id: -1010, type: 'supergroup', title: 'Our group' },
      from: { id: 1_087_968_824, is_bot: true, first_name: 'Group', username: 'GroupAnonymousBot' },
      sender_chat: { id: -1010, type: 'supergroup', title: 'Our group' },
    });
    await until('the bot says so', () => telegram.textsIn(-1010).some((text) => text.includes('write as yourself')));
  });

  it('takes no post without the secret', async () => {
    const { token } = await agent();
    const botId = token.split(':')[0];
    const path = `/v1/channels/telegram/${botId}/webhook`;
    const update = JSON.stringify({ update_id: 1, message: { text: 'forged' } });
    for (const secret of ['', 'guessed']) {
      const answer = await roost.api('POST', path, update, {
        'content-type': 'application/json',
        'x-telegram-bot-api-secret-token': secret,
      });
      expect(answer.status).toBe(401);
    }
  });
});
