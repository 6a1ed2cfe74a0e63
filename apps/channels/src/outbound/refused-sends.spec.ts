import { getChannelStatus, listChannels, type ChatPlatform } from '#lib/contracts';
import { newId } from '#lib/database';
import { TelegramPlatform, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture } from '../../test/channels-fixture.js';
import { discordDouble, type PlatformDouble, slackDouble, telegramDouble } from '../../test/doubles/index.js';

async function entryOf(fixture: ChannelsFixture, platform: ChatPlatform) {
  const { channels } = await fixture.request(listChannels, { agentId: fixture.agentId });
  return channels.find(({ type }) => type === platform);
}

async function isFailed(fixture: ChannelsFixture, body: string): Promise<string> {
  const { reason } = await until(`"${body}" has failed`, async () => {
    const [row] = await fixture.rows.query<{ reason: string }>(
      `SELECT reason FROM deliveries WHERE body = $1 AND state = 'failed'`,
      [body],
    );
    return row;
  });
  return reason;
}

async function failures(fixture: ChannelsFixture): Promise<{ reason: string; message_ids: string[] }[]> {
  const rows = await fixture.rows.query<{ payload: { reason: string; message_ids: string[] } }>(
    `SELECT payload FROM outbox WHERE subject = 'events.channels.delivery.failed' ORDER BY id`,
  );
  return rows.map(({ payload }) => payload);
}

describe.each([
  { name: 'Slack', open: slackDouble },
  { name: 'Telegram', open: telegramDouble },
  { name: 'Discord', open: discordDouble },
])('what $name refuses', ({ open }) => {
  let double: PlatformDouble;
  let fixture: ChannelsFixture;
  const ask = async (text: string) => {
    await double.say(1, text);
    return fixture.queued(text);
  };

  beforeAll(async () => {
    double = await open();
    fixture = await ChannelsFixture.open(double.variables, double.bot);
    await fixture.startReplica();
    await until('it is connected', async () => (await entryOf(fixture, double.platform))?.health === 'connected');
    await double.say(1, `/link ${await fixture.code(double.platform)}`);
    await until('it is linked', () => double.shown(1).some((text) => text.includes('Robin')));
  });
  afterAll(async () => {
    await fixture.close();
    await double.stop();
  });

  it('a reply whose preview was deleted is shown anew', async () => {
    const message = await ask('how are you?');
    const before = double.shown(1).length;
    const turnId = newId();
    await until(
      'the first text is shown',
      () => {
        fixture.live(message, turnId, 'turn.restarted', 0);
        fixture.live(message, turnId, 'text.delta', 1, 'I am ');
        return double.shown(1).length > before;
      },
      { everyMs: 200 },
    );
    double.deleteLast(1);
    await fixture.complete(message, 'I am fine', turnId);
    await until('the reply is shown', () => double.shown(1).at(-1) === 'I am fine');
    expect(await failures(fixture)).toEqual([]);
  });

  it('a reply to a deleted thread is shown without it', async () => {
    const thread = await double.thread(1, 'what is planned?');
    const message = await fixture.queued('what is planned?');
    await thread.delete();
    await fixture.complete(message, 'Nothing is planned.');
    await until('it is shown above', () => thread.shownAbove().includes('Nothing is planned.'));
    expect(await failures(fixture)).toEqual([]);
  });

  it('a reply to who blocked the bot fails with the reason, reported once, until they write again', async () => {
    const message = await ask('bye');
    const unblock = double.block(1);
    await fixture.complete(message, 'do not go');
    const reason = await isFailed(fixture, 'do not go');
    const events = await failures(fixture);
    expect(events).toHaveLength(1);
    expect(events[0]?.reason).toBe(reason);
    expect(events[0]?.message_ids).toHaveLength(1);
    expect(await entryOf(fixture, double.platform)).toMatchObject({ health: 'failed', healthReason: reason });
    const status = await fixture.request(getChannelStatus, { agentId: fixture.agentId, platform: double.platform });
    expect(status.binding?.healthReason).toBe(reason);
    unblock();
    await fixture.complete(await ask('I am back'), 'welcome back');
    await until('it is shown', () => double.shown(1).includes('welcome back'));
    expect(await entryOf(fixture, double.platform)).toMatchObject({ health: 'connected' });
    expect(double.shown(1)).not.toContain('do not go');
  });
});

describe('what only Telegram refuses or splits', () => {
  const TOKEN = '4242:testtoken';
  const old = { chat: { id: -600, type: 'group' } };
  const grown = { chat: { id: -100_600, type: 'supergroup' } };
  let telegram: TelegramPlatform;
  let fixture: ChannelsFixture;

  beforeAll(async () => {
    telegram = await TelegramPlatform.start();
    telegram.addBot(TOKEN);
    fixture = await ChannelsFixture.open({ TELEGRAM_API_BASE_URL: telegram.url }, { telegramBotToken: TOKEN });
    await fixture.startReplica();
    await until('it is connected', async () => (await entryOf(fixture, 'telegram'))?.health === 'connected');
    await telegram.say(TOKEN, 1, `/link ${await fixture.code('telegram')}`);
    await until('it is linked', () => telegram.textsIn(1).some((text) => text.includes('Robin')));
  });
  afterAll(async () => {
    await fixture.close();
    await telegram.stop();
  });

  it('markup: the text is shown plain', async () => {
    await telegram.say(TOKEN, 1, 'shout');
    const description = "Bad Request: can't parse entities: Unsupported start tag";
    telegram.faults['sendMessage'] = [{ error_code: 400, description }];
    await fixture.complete(await fixture.queued('shout'), '**a** & <b>');
    await until('it is shown', () => telegram.textsIn(1).includes('a & <b>'));
  });

  it('a reason that no database keeps: what can be kept of it is told, and the next reply is shown', async () => {
    await telegram.say(TOKEN, 1, 'refuse this');
    telegram.faults['sendMessage'] = [{ error_code: 402, description: 'Payment\0 Required \ud83d' }];
    await fixture.complete(await fixture.queued('refuse this'), 'never shown');
    expect(await isFailed(fixture, 'never shown')).toBe('Payment Required \ufffd');
    await telegram.say(TOKEN, 1, 'and now?');
    await fixture.complete(await fixture.queued('and now?'), 'now it is');
    await until('it is shown', () => telegram.textsIn(1).includes('now it is'));
  });

  it('without an answer: the reply is not sent again, and reported as one that may have been shown', async () => {
    await telegram.say(TOKEN, 1, 'are you there?');
    telegram.faults['sendMessage'] = [{ error_code: 502, description: 'Bad Gateway' }];
    const question = await fixture.queued('are you there?');
    const tries = telegram.calls['sendMessage'] ?? 0;
    await fixture.complete(question, 'perhaps');
    await until('it is reported', async () =>
      (await failures(fixture)).some(({ reason }) => reason === 'it may have been shown or not: Bad Gateway'),
    );
    await telegram.say(TOKEN, 1, 'hello?');
    await fixture.complete(await fixture.queued('hello?'), 'yes');
    await until('the next is shown', () => telegram.textsIn(1).includes('yes'));
    expect(telegram.calls['sendMessage']).toBe(tries + 2);
  });

  it('a group that became a supergroup: answers go to the new one, in the same conversation', async () => {
    await telegram.say(TOKEN, 1, '@roost_bot before', old);
    const before = await fixture.queued('before');
    telegram.rules.upgrade(-600, -100_600);
    await fixture.complete(before, 'first answer');
    await until('it is in the new group', () => telegram.textsIn(-100_600).includes('first answer'));
    await telegram.say(TOKEN, 1, '', { ...old, migrate_to_chat_id: -100_600 });
    await telegram.say(TOKEN, 1, '', { ...grown, migrate_from_chat_id: -600 });
    await telegram.say(TOKEN, 1, '@roost_bot after', grown);
    const after = await fixture.queued('after');
    expect(after.conversationId).toBe(before.conversationId);
    const tries = telegram.calls['sendMessage'] ?? 0;
    await fixture.complete(after, 'second answer');
    await until('it is there', () => telegram.textsIn(-100_600).includes('second answer'));
    expect((telegram.calls['sendMessage'] ?? 0) - tries).toBe(1);
  });

  it('a group that threw the bot out: the binding shows it, the person’s own chat still works', async () => {
    await telegram.say(TOKEN, 1, '@roost_bot in the club', { chat: { id: -700, type: 'group' } });
    telegram.rules.refuse(-700, 'Forbidden: bot was kicked from the group chat');
    await fixture.complete(await fixture.queued('in the club'), 'too late');
    await isFailed(fixture, 'too late');
    expect(await entryOf(fixture, 'telegram')).toMatchObject({
      health: 'connected',
      healthReason: 'in -700: Forbidden: bot was kicked from the group chat',
    });
  });

  it('an album: its parts are one message', async () => {
    const part = (n: number) => ({ ...telegram.document(`${n}.txt`, Buffer.from('x')), media_group_id: 'album' });
    await telegram.say(TOKEN, 1, '', { ...part(1), caption: 'our trip', document: undefined });
    await telegram.say(TOKEN, 1, '', { location: { latitude: 1, longitude: 2 }, media_group_id: 'album' });
    await telegram.say(TOKEN, 1, 'after the album');
    await fixture.queued('after the album');
    expect(fixture.sent.map(({ content }) => content)).toContain('[Location: 1, 2]\n\nour trip');
  });
});
