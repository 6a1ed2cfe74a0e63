import { getChannelStatus, listChannels, type ChatPlatform } from '#lib/contracts';
import { newId } from '#lib/database';
import { TelegramPlatform, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsStage } from '../testing/channels-stage.js';
import { discordPeer, type Peer, slackPeer, telegramPeer } from '../testing/peers.js';

const PATIENT = { timeoutMs: 40_000 };

async function entryOf(stage: ChannelsStage, platform: ChatPlatform) {
  const { channels } = await stage.request(listChannels, { agentId: stage.agentId });
  return channels.find(({ type }) => type === platform);
}

async function isFailed(stage: ChannelsStage, body: string): Promise<string> {
  const { reason } = await until(
    `"${body}" has failed`,
    async () => {
      const [row] = await stage.rows.query<{ reason: string }>(
        `SELECT reason FROM deliveries WHERE body = $1 AND state = 'failed'`,
        [body],
      );
      return row;
    },
    PATIENT,
  );
  return reason;
}

async function told(stage: ChannelsStage): Promise<{ reason: string; message_ids: string[] }[]> {
  const rows = await stage.rows.query<{ payload: { reason: string; message_ids: string[] } }>(
    `SELECT payload FROM outbox WHERE subject = 'events.channels.delivery.failed' ORDER BY id`,
  );
  return rows.map(({ payload }) => payload);
}

describe.each([
  { name: 'Slack', open: slackPeer },
  { name: 'Telegram', open: telegramPeer },
  { name: 'Discord', open: discordPeer },
])('what $name refuses', ({ open }) => {
  let peer: Peer;
  let stage: ChannelsStage;
  const ask = async (text: string) => {
    await peer.say(1, text);
    return stage.queued(text);
  };

  beforeAll(async () => {
    peer = await open();
    stage = await ChannelsStage.open(peer.variables, peer.bot);
    await stage.startReplica();
    await until('it is connected', async () => (await entryOf(stage, peer.platform))?.health === 'connected', PATIENT);
    await peer.say(1, `/link ${await stage.code(peer.platform)}`);
    await until('it is linked', () => peer.shown(1).some((text) => text.includes('Robin')), PATIENT);
  }, 60_000);
  afterAll(async () => {
    await stage.close();
    await peer.stop();
  });

  it('a reply whose preview was deleted is shown anew', async () => {
    const message = await ask('how are you?');
    const before = peer.shown(1).length;
    const turnId = newId();
    await until(
      'the first words are shown',
      () => {
        stage.live(message, turnId, 'turn.restarted', 0);
        stage.live(message, turnId, 'text.delta', 1, 'I am ');
        return peer.shown(1).length > before;
      },
      { everyMs: 200, ...PATIENT },
    );
    peer.deleteLast(1);
    await stage.complete(message, 'I am fine', turnId);
    await until('the reply is shown', () => peer.shown(1).at(-1) === 'I am fine', PATIENT);
    expect(await told(stage)).toEqual([]);
  });

  it('a reply to a deleted thread is shown without it', async () => {
    const thread = await peer.thread(1, 'what is planned?');
    const message = await stage.queued('what is planned?');
    await thread.delete();
    await stage.complete(message, 'Nothing is planned.');
    await until('it is shown above', () => thread.shownAbove().includes('Nothing is planned.'), PATIENT);
    expect(await told(stage)).toEqual([]);
  });

  it('a reply to who blocked the bot fails with the reason, told once, until they write again', async () => {
    const message = await ask('bye');
    const unblock = peer.block(1);
    await stage.complete(message, 'do not go');
    const reason = await isFailed(stage, 'do not go');
    const events = await told(stage);
    expect(events).toHaveLength(1);
    expect(events[0]?.reason).toBe(reason);
    expect(events[0]?.message_ids).toHaveLength(1);
    expect(await entryOf(stage, peer.platform)).toMatchObject({ health: 'failed', healthReason: reason });
    const status = await stage.request(getChannelStatus, { agentId: stage.agentId, platform: peer.platform });
    expect(status.binding?.healthReason).toBe(reason);
    unblock();
    await stage.complete(await ask('I am back'), 'welcome back');
    await until('it is shown', () => peer.shown(1).includes('welcome back'), PATIENT);
    expect(await entryOf(stage, peer.platform)).toMatchObject({ health: 'connected' });
    expect(peer.shown(1)).not.toContain('do not go');
  });
});

describe('what only Telegram refuses or splits', () => {
  const TOKEN = '4242:testtoken';
  const old = { chat: { id: -600, type: 'group' } };
  const grown = { chat: { id: -100_600, type: 'supergroup' } };
  let telegram: TelegramPlatform;
  let stage: ChannelsStage;

  beforeAll(async () => {
    telegram = await TelegramPlatform.start();
    telegram.addBot(TOKEN);
    stage = await ChannelsStage.open({ TELEGRAM_API_BASE_URL: telegram.url }, { telegramBotToken: TOKEN });
    await stage.startReplica();
    await until('it is connected', async () => (await entryOf(stage, 'telegram'))?.health === 'connected', PATIENT);
    await telegram.say(TOKEN, 1, `/link ${await stage.code('telegram')}`);
    await until('it is linked', () => telegram.textsIn(1).some((text) => text.includes('Robin')), PATIENT);
  }, 60_000);
  afterAll(async () => {
    await stage.close();
    await telegram.stop();
  });

  it('markup: the text is shown plain', async () => {
    await telegram.say(TOKEN, 1, 'shout');
    const description = "Bad Request: can't parse entities: Unsupported start tag";
    telegram.faults['sendMessage'] = [{ error_code: 400, description }];
    await stage.complete(await stage.queued('shout'), '**a** & <b>');
    await until('it is shown', () => telegram.textsIn(1).includes('a & <b>'), PATIENT);
  });

  it('a group that became a supergroup: answers go to the new one, in the same conversation', async () => {
    await telegram.say(TOKEN, 1, '@roost_bot before', old);
    const before = await stage.queued('before');
    telegram.rules.upgrade(-600, -100_600);
    await stage.complete(before, 'first answer');
    await until('it is in the new group', () => telegram.textsIn(-100_600).includes('first answer'), PATIENT);
    await telegram.say(TOKEN, 1, '', { ...old, migrate_to_chat_id: -100_600 });
    await telegram.say(TOKEN, 1, '', { ...grown, migrate_from_chat_id: -600 });
    await telegram.say(TOKEN, 1, '@roost_bot after', grown);
    const after = await stage.queued('after');
    expect(after.conversationId).toBe(before.conversationId);
    const tries = telegram.calls['sendMessage'] ?? 0;
    await stage.complete(after, 'second answer');
    await until('it is there', () => telegram.textsIn(-100_600).includes('second answer'), PATIENT);
    expect((telegram.calls['sendMessage'] ?? 0) - tries).toBe(1);
  });

  it('a group that threw the bot out: the binding says so, the person’s own chat still works', async () => {
    await telegram.say(TOKEN, 1, '@roost_bot in the club', { chat: { id: -700, type: 'group' } });
    telegram.rules.refuse(-700, 'Forbidden: bot was kicked from the group chat');
    await stage.complete(await stage.queued('in the club'), 'too late');
    await isFailed(stage, 'too late');
    expect(await entryOf(stage, 'telegram')).toMatchObject({
      health: 'connected',
      healthReason: 'in -700: Forbidden: bot was kicked from the group chat',
    });
  });

  it('an album: its parts are one message', async () => {
    const part = (n: number) => ({ ...telegram.document(`${n}.txt`, Buffer.from('x')), media_group_id: 'album' });
    await telegram.say(TOKEN, 1, '', { ...part(1), caption: 'our trip', document: undefined });
    await telegram.say(TOKEN, 1, '', { location: { latitude: 1, longitude: 2 }, media_group_id: 'album' });
    await telegram.say(TOKEN, 1, 'after the album');
    await stage.queued('after the album');
    expect(stage.sent.map(({ content }) => content)).toContain('[Location: 1, 2]\n\nour trip');
  });
});
