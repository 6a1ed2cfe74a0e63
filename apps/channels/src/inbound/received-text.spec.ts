import fc from 'fast-check';
import type { GatewayMessageCreateDispatchData } from 'discord-api-types/v10';
import { describe, expect, it } from 'vitest';
import { inboundOf as fromDiscord } from '../discord/discord-message.js';
import { inboundOf as fromSlack, SlackEvent } from '../slack/slack-message.js';
import { inboundOf as fromTelegram, type TelegramUpdate } from '../telegram/telegram-message.js';

const ann = { id: 7, is_bot: false, first_name: 'Ann', username: 'ann' };
const telegram = (message: object, chat: object = { id: 7, type: 'private' }) =>
  fromTelegram({ update_id: 1, message: { message_id: 2, chat, from: ann, ...message } } as TelegramUpdate, {
    id: 4242,
    username: 'roost_bot',
  });
const slack = (event: object, names?: Map<string, string>) =>
  fromSlack(SlackEvent.parse({ type: 'message', user: 'U7', ts: '1.1', channel: 'D7', ...event }), 'UBOT', 'T1', names);
const user = { id: '7', username: 'ann', global_name: 'Ann' };
const discord = (message: object) =>
  fromDiscord(
    {
      id: '1',
      channel_id: '2',
      type: 0,
      author: user,
      content: '',
      mentions: [],
      mention_roles: [],
      attachments: [],
      embeds: [],
      ...message,
    } as unknown as GatewayMessageCreateDispatchData,
    '99',
  );

/** All that an agent reads of a message. */
const read = (message: { context?: string[]; text: string } | undefined) =>
  message && [...(message.context ?? []), message.text].join('\n');

describe('what a person sends, as an agent reads it', () => {
  const point = { latitude: 52.5, longitude: 13.4 };
  it.each<[string, object, string[]]>([
    [
      'a quoted message',
      { text: 'yes', reply_to_message: { from: ann, text: 'lunch?\nat one?' } },
      ['[In reply to Ann]', '> lunch?', '> at one?', 'yes'],
    ],
    [
      'a part that was quoted',
      { text: 'yes', quote: { text: 'at one' }, reply_to_message: { from: ann, text: 'lunch at one?' } },
      ['> at one', 'yes'],
    ],
    [
      'a quoted post of a channel',
      {
        text: 'so?',
        reply_to_message: { from: { first_name: 'Telegram' }, sender_chat: { title: 'News' }, text: 'it rains' },
      },
      ['[In reply to News]', '> it rains', 'so?'],
    ],
    [
      'a quoted photo with a caption',
      { text: 'who?', reply_to_message: { from: ann, caption: 'us', photo: [{}] } },
      ['> us', '> [Photo]'],
    ],
    ['a caption', { caption: 'our cat', photo: [{ file_id: 'f', file_unique_id: 'f' }] }, ['our cat']],
    ['a sticker', { sticker: { emoji: '🎉', set_name: 'Party' } }, ['[Sticker: 🎉, Party]']],
    ['a location', { location: point }, ['[Location: 52.5, 13.4]']],
    [
      'a venue',
      { location: point, venue: { location: point, title: 'Café', address: 'Main St 1' } },
      ['[Venue: Café, Main St 1, 52.5, 13.4]'],
    ],
    [
      'a contact',
      { contact: { phone_number: '+4930123', first_name: 'Bo', last_name: 'Li' } },
      ['[Contact: Bo Li, +4930123]'],
    ],
    [
      'a poll',
      { poll: { question: 'Tea?', options: [{ text: 'yes' }, { text: 'no' }] } },
      ['[Poll: Tea?, • yes, • no]'],
    ],
    ['a dice', { dice: { emoji: '🎲', value: 4 } }, ['[Dice: 🎲, 4]']],
    [
      'a forwarded post',
      { text: 'news', forward_origin: { type: 'channel', chat: { title: 'The Daily' } } },
      ['[Forwarded from: The Daily]', 'news'],
    ],
    [
      'what a hidden user wrote',
      { text: 'psst', forward_origin: { type: 'hidden_user', sender_user_name: 'Eve' } },
      ['[Forwarded from: Eve]'],
    ],
  ])('Telegram: %s', (_, message, parts) => {
    for (const part of parts) expect(read(telegram(message))?.split('\n')).toContain(part);
  });

  it('Telegram: no quote in a topic, a mention within a word stays, a path is no command in a private chat', () => {
    expect(
      read(telegram({ text: 'hi', is_topic_message: true, reply_to_message: { forum_topic_created: {}, from: ann } })),
    ).toBe('hi');
    expect(telegram({ text: 'mail me@roost_bot.example' })?.text).toBe('mail me@roost_bot.example');
    expect(telegram({ text: '/ssh@host is down' })?.text).toBe('/ssh@host is down');
    expect(telegram({ text: '/help@other_bot' }, { id: -5, type: 'group' })).toBeUndefined();
    expect(telegram({ text: '/help@roost_bot' }, { id: -5, type: 'group' })).toMatchObject({
      text: '/help',
      isAddressed: true,
    });
  });

  it.each([
    ['<mailto:a@b.example|a@b.example>', 'a@b.example'],
    ['<mailto:a@b.example|write to Ann>', 'write to Ann (a@b.example)'],
    ['<mailto:a@b.example>', 'a@b.example'],
    ['<tel:+4930123|+4930123>', '+4930123'],
    ['see <http://foo.example|foo.example>', 'see foo.example'],
    ['<https://foo.example/a?b=1&amp;c=2>', 'https://foo.example/a?b=1&c=2'],
    ['<https://evil.example/?good.example|good.example>', 'good.example (https://evil.example/?good.example)'],
    ['<https://foo.example|the <b> docs>', 'the <b> docs (https://foo.example)'],
    ['ask <@U8> and <@U9|bo>', 'ask @Person 8 and @bo'],
    ['<#C1|general> and <#C2>', '#general and #C2'],
    ['<!here> <!channel> <!everyone>', '@here @channel @everyone'],
    ['<!subteam^S1|@team> <!subteam^S2>', '@team @S2'],
    ['<!date^1392734382^{date}|Feb 18, 2014>', 'Feb 18, 2014'],
    ['<@UBOT> hi', 'hi'],
    ['!stop', '/stop'],
    ['!important', '!important'],
  ])('Slack: %s is read as %s', (text, words) => {
    // Slack escapes what people type within a label, too.
    const sent = text.replace('<b>', '&lt;b&gt;');
    expect(slack({ text: sent }, new Map([['U8', 'Person 8']]))?.text).toBe(words);
  });

  it('Slack: a shared message is quoted', () => {
    const attachments = [
      { author_name: 'Bo', text: 'look at <http://a.example|a.example>', from_url: 'https://x.example' },
    ];
    expect(read(slack({ text: 'this?', attachments }))).toBe(
      '[Shared, from Bo]\n> look at a.example\n> https://x.example\nthis?',
    );
  });

  it.each<[string, object, string]>([
    ['people, roles and channels', { content: '<@99> <@7> <@&5> <#6>', mentions: [user] }, '@ann @role 5 #6'],
    [
      'emojis, times and commands',
      { content: '<:wave:12> <a:dance:13> <t:0:R> </help:9>' },
      ':wave: :dance: 1970-01-01T00:00:00.000Z /help',
    ],
    ['code', { content: '`<@7>` <@7>', mentions: [user] }, '`<@7>` @ann'],
    [
      'a quoted message',
      {
        content: 'yes',
        type: 19,
        referenced_message: { author: user, content: 'lunch?', embeds: [], attachments: [] },
      },
      '[In reply to Ann]\n> lunch?\nyes',
    ],
    ['a sticker', { sticker_items: [{ id: '1', name: 'party', format_type: 1 }] }, '[Sticker: party]\n'],
    [
      'a card',
      { embeds: [{ title: 'Build', description: 'failed', url: 'https://ci.example' }] },
      '[Card]\n> Build\n> failed\n> https://ci.example\n',
    ],
    [
      'a poll',
      { poll: { question: { text: 'Tea?' }, answers: [{ poll_media: { text: 'yes' } }] } },
      '[Poll: Tea?, • yes]\n',
    ],
    [
      'a forwarded post',
      { message_snapshots: [{ message: { content: 'old news', embeds: [], attachments: [] } }] },
      '[Forwarded]\n> old news\n',
    ],
  ])('Discord: %s', (_, message, words) => {
    expect(read(discord(message))).toBe(words);
  });

  it.each([
    ['a bot', telegram({ text: 'hi', from: { id: 9, is_bot: true, first_name: 'Bot' } })],
    ['a bot', slack({ text: 'hi', bot_id: 'B9' })],
    ['a bot', discord({ content: 'hi', author: { ...user, bot: true } })],
    ['an app, through a webhook', discord({ content: 'hi', webhook_id: '9' })],
  ])('is nothing where %s sent it: two would talk forever', (_, message) => {
    expect(message).toBeUndefined();
  });

  it.each([
    [
      { id: 1_087_968_824, is_bot: true, first_name: 'Group' },
      { id: -100, title: 'Our group', username: undefined },
      'Our group',
    ],
    [
      { id: 136_817_688, is_bot: true, first_name: 'Channel' },
      { id: -200, title: undefined, username: 'news' },
      'news',
    ],
    [{ id: 777_000, is_bot: false, first_name: 'Telegram' }, { id: -200, title: 'News', username: 'news' }, 'News'],
  ])(
    'comes from the chat on whose behalf it is posted, for which Telegram puts a user of its own',
    (from, chat, name) => {
      const { sender } = telegram({ text: 'hi', from, sender_chat: chat }, { id: -100, type: 'supergroup' }) ?? {};
      expect(sender).toEqual({ id: String(chat.id), username: chat.username ?? null, displayName: name, isChat: true });
    },
  );

  it('bounds what is quoted, listed and named', () => {
    const long = 'x'.repeat(100_000);
    const many = Array.from({ length: 500 }, () => ({ text: long, fallback: long }));
    const all = [
      telegram({ text: 'hi', reply_to_message: { from: ann, text: long } }),
      telegram({ poll: { question: long, options: many } }),
      telegram({ contact: { phone_number: long, first_name: long } }),
      slack({ text: 'hi', attachments: many }),
      discord({
        embeds: many.map(({ text }) => ({ title: text, description: text })),
        message_snapshots: many.map(({ text }) => ({ message: { content: text, embeds: [], attachments: [] } })),
      }),
    ];
    for (const message of all) expect(read(message)?.length).toBeLessThan(50_000);
  });

  it('leaves any other text as it was written', () => {
    const typed = fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => text.trim());
    const plain = typed.filter((text) => !/^!(link|unlink|status|stop|new|help|start|roost)\b/i.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        expect(telegram({ text })?.text).toBe(text);
        const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        expect(slack({ text: escaped })?.text).toBe(text);
        // Discord does not escape: only what has the form of its marks is one.
        const typedMark = /<(@[!&]?\d+|#\d+|a?:\w+:\d+|t:-?\d+(:[a-z])?|\/[^:<>]+:\d+)>/i;
        if (!typedMark.test(text)) expect(discord({ content: text })?.text).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
