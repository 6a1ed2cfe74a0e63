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
  const link = (offset: number, length: number, url = 'https://foo.example/a') => ({
    ...{ type: 'text_link', offset, length, url },
  });
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
    [
      'a link in a forwarded post',
      { text: '🎉 Read more', entities: [link(3, 9)], forward_origin: { type: 'channel', chat: { title: 'News' } } },
      ['[Forwarded from: News]', '🎉 Read more (https://foo.example/a)'],
    ],
    [
      'a link in a caption',
      { caption: 'our cat', caption_entities: [link(4, 3)], photo: [{ file_id: 'f', file_unique_id: 'f' }] },
      ['our cat (https://foo.example/a)'],
    ],
    [
      'a link in a part that was quoted',
      {
        text: 'so?',
        quote: { text: 'here', entities: [link(0, 4)] },
        reply_to_message: { from: ann, text: 'look here', entities: [link(0, 4)] },
      },
      ['> here (https://foo.example/a)'],
    ],
    [
      'a link in a quoted message',
      { text: 'so?', reply_to_message: { from: ann, text: 'look\nhere', entities: [link(5, 4)] } },
      ['> look', '> here (https://foo.example/a)'],
    ],
    [
      'a link in a quoted caption',
      { text: 'so?', reply_to_message: { from: ann, caption: 'us', caption_entities: [link(0, 2)], photo: [{}] } },
      ['> us (https://foo.example/a)', '> [Photo]'],
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
    { pinned_message: { message_id: 1, text: 'this' } },
    { message_auto_delete_timer_changed: { message_auto_delete_time: 60 } },
    { new_chat_members: [ann] },
    { new_chat_title: 'Ours' },
  ])('Telegram: nobody sent what only notes a change: %o', (change) => {
    expect(telegram(change)).toBeUndefined();
    expect(telegram(change, { id: -5, type: 'group' })).toBeUndefined();
  });

  it('Telegram: a reply to the bot names its message, and comes with the quote first', () => {
    const [bot, group] = [
      { id: 4242, is_bot: true, first_name: 'Robin' },
      { id: -5, type: 'group' },
    ];
    const reply = (more: object) => telegram({ text: 'blue', reply_to_message: { message_id: 8, ...more } }, group);
    expect(reply({ from: bot, text: 'Which?' })).toMatchObject({
      replyTo: '8',
      context: ['[In reply to Robin]\n> Which?'],
    });
    expect(reply({ from: ann, text: 'Which?' })).not.toHaveProperty('replyTo');
    expect(reply({ from: bot, forum_topic_created: {} })).not.toHaveProperty('replyTo');
  });

  it.each<[string, string, unknown, string]>([
    ['is its label where that says it all', 'foo.example', [link(0, 11, 'http://foo.example/')], 'foo.example'],
    [
      'has its own address where the label is another',
      'good.example',
      [link(0, 12, 'https://evil.example/?good.example')],
      'good.example (https://evil.example/?good.example)',
    ],
    ['ends before blanks', 'here \nand', [link(0, 6)], 'here (https://foo.example/a) \nand'],
    [
      'stays where the mention of the bot is taken out',
      '@roost_bot see this and @roost_bot that',
      [link(11, 8), link(20, 19, 'https://x.example/@roost_bot')],
      'see this (https://foo.example/a) and  that (https://x.example/@roost_bot)',
    ],
    ['around a mention is kept', 'hi @roost_bot', [link(3, 10)], 'hi  (https://foo.example/a)'],
    ['ends within a mention', 'hi @roost_bot', [link(0, 6)], 'hi  (https://foo.example/a)'],
    [
      'is taken in the order of the text',
      'a b',
      [link(2, 1, 'tel:+49'), link(0, 1, 'mailto:b@c.de')],
      'a (b@c.de) b (+49)',
    ],
    [
      'is the first of two that overlap',
      'one two',
      [link(2, 5, 'https://b.example'), link(0, 3)],
      'one (https://foo.example/a) two',
    ],
    ['has half an emoji as its label', '🎉🎉', [link(1, 1), link(1, 2), link(0, 3)], '🎉🎉'],
    ['is not of the text', 'hi', [link(2, 1), link(-1, 2), link(0, 3), link(0, 0), link(0.5, 1), link(NaN, 1)], 'hi'],
    ['has no address', 'hi', [link(0, 2, ''), { ...link(0, 2), url: 7 }, { ...link(0, 2), url: undefined }], 'hi'],
    [
      'is a name, an address as it was typed or code',
      'Bo @ann http://a.example x',
      [
        { type: 'text_mention', offset: 0, length: 2, user: { id: 8, is_bot: false, first_name: 'Bo' } },
        { type: 'mention', offset: 3, length: 4 },
        { type: 'url', offset: 8, length: 16 },
        { type: 'pre', offset: 25, length: 1, language: 'https://foo.example' },
      ],
      'Bo @ann http://a.example x',
    ],
  ])('Telegram: a link %s', (_, text, entities, words) => {
    expect(telegram({ text, entities })?.text).toBe(words);
  });

  it('Telegram: the address of a link addresses nobody', () => {
    const entities = [link(0, 4, 'https://x.example/@roost_bot')];
    expect(telegram({ text: 'this', entities }, { id: -5, type: 'group' })).toMatchObject({ isAddressed: false });
    expect(telegram({ text: '/help@roost_bot me', entities: [link(16, 2)] }, { id: -5, type: 'group' })).toMatchObject({
      text: '/help me (https://foo.example/a)',
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
      telegram({ text: 'hi', entities: [link(0, 2, `https://${long}`)] }),
      telegram({ text: 'x'.repeat(4_096), entities: Array.from({ length: 4_096 }, (_, at) => link(at, 1)) }),
      telegram({ text: 'hi', quote: { text: 'hi', entities: [link(0, 2, `https://${long}`)] }, reply_to_message: {} }),
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

  it('Telegram: adds addresses of links to a text, and changes nothing else whatever its entities are', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 50 }).map((typed) => `<${typed}>`);
    const odd = fc.constantFrom<unknown>(undefined, null, '1', NaN, 0.5, 1e300, true, {}, [1], 'x');
    const at = fc.oneof(fc.integer({ min: -2, max: 60 }), odd);
    const entity = (type: fc.Arbitrary<string>, url: fc.Arbitrary<unknown>) =>
      fc.record({ type, offset: at, length: at, url });
    const other = entity(fc.constantFrom('bold', 'code', 'text_mention', 'url'), fc.constant('https://foo.example/a'));
    const others = fc.oneof(fc.array(fc.oneof(other, odd), { maxLength: 5 }), odd);
    const url = fc.oneof(fc.constant('https://foo.example/a'), odd);
    const links = fc.array(fc.oneof(other, entity(fc.constant('text_link'), url)), { maxLength: 5 });
    fc.assert(
      fc.property(text, others, links, (sent, without, entities) => {
        expect(telegram({ text: sent, entities: without })?.text).toBe(sent);
        const words = telegram({ text: sent, entities })?.text ?? '';
        let found = 0;
        for (const character of words) if (sent.startsWith(character, found)) found += character.length;
        expect(found).toBe(sent.length);
        expect(words.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
