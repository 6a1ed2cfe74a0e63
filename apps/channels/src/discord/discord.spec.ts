import { listChannels, updateBinding, getChannelStatus } from '#lib/contracts';
import { newId } from '#lib/database';
import { type BotApplication, type Channel, DiscordServer, until, type User } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture } from '../../test/channels-fixture.js';

/** The kill is for `ROOST_FULL=1` alone: the suite has the same of Telegram. */
const IS_FULL = process.env['ROOST_FULL'] !== undefined;
const REPLIES = 200;

describe('Discord, through its SDK and a double of its servers', () => {
  let discord: DiscordServer;
  let bot: BotApplication;
  let ann: User;
  let dm: Channel;
  let fixture: ChannelsFixture;

  const shown = (channel = dm) => discord.shown(channel, bot).map(({ content }) => content);
  const health = async () => {
    const { channels } = await fixture.request(listChannels, { agentId: fixture.agentId });
    return channels.find(({ type }) => type === 'discord');
  };
  const connected = () => until('connected', async () => (await health())?.health === 'connected');
  const link = async (user: User, agentId = fixture.agentId) => {
    const channel = discord.dm(bot, user);
    const before = shown(channel).length;
    discord.say(user, channel, `/link ${await fixture.code('discord', agentId)}`);
    await until('the person is linked', () => shown(channel).length > before);
    return shown(channel).at(-1);
  };
  const ask = async (text: string, channel = dm, user = ann) => {
    discord.say(user, channel, text);
    return fixture.queued(text);
  };

  beforeAll(async () => {
    discord = await DiscordServer.start();
    discord.interactions.answerMs = 60_000;
    discord.http.rateLimits.limits = [];
    discord.http.rateLimits.globalPerSecond = 1_000;
    bot = discord.addBot('robin');
    ann = discord.addUser('ann');
    dm = discord.dm(bot, ann);
    fixture = await ChannelsFixture.open({ DISCORD_API_BASE_URL: discord.apiUrl }, { discordBotToken: bot.token });
    await fixture.startReplica();
    await connected();
    expect(await link(ann)).toContain('Robin');
  });

  afterAll(async () => {
    await fixture.close();
    await discord.stop();
  });

  it('answers on servers when it is mentioned or replied to, in the same channel, and to no bot', async () => {
    const { guildId, channel } = discord.addGuild('home', [bot]);
    const thread = discord.world.addChannel({ type: 11, name: 'plans', guild_id: guildId, parent_id: channel.id });
    discord.say(ann, channel, 'not for you');
    discord.say(discord.world.addUser('other', true), channel, `<@${bot.user.id}> a bot`);
    discord.say(ann, channel, `<@${bot.user.id}> a webhook`, { webhookId: '1' });
    discord.say(ann, thread, `<@${bot.user.id}> what is planned, <@${ann.id}>?`);
    const message = await fixture.queued('what is planned, @ann?');
    expect(message.conversationId).toBe(`discord:${bot.user.id}:${guildId}/${thread.id}`);
    await fixture.complete(message, 'Nothing.\n@everyone');
    const reply = await until('the reply is in the thread', () => discord.shown(thread, bot)[0]);
    discord.say(ann, thread, 'are you sure?', { replyTo: reply });
    await fixture.queued('[In reply to robin]\n> Nothing.\n> @everyone\n\nare you sure?');
    // People pick the bot's own role where they mean the bot. While Discord does not tell which it is, others go on.
    discord.fault(/roles$/, { status: 403 });
    discord.say(ann, channel, '<@&1> not for you either');
    discord.say(ann, channel, `<@&${discord.roleOf(bot, guildId)}> are you a role?`);
    await fixture.queued('are you a role?');
    const { binding } = await fixture.request(getChannelStatus, { agentId: fixture.agentId, platform: 'discord' });
    await fixture.request(updateBinding, { agentId: fixture.agentId, bindingId: binding?.id ?? '', listen: 'all' });
    discord.say(ann, channel, 'now for you');
    await fixture.queued('now for you');
    expect(fixture.sent.filter(({ content }) => /not for you|a bot|a webhook/.test(content))).toEqual([]);
  });

  it('answers a command after Discord has taken its acknowledgement, however long that takes', async () => {
    discord.fault(/callback$/, { lateMs: 1_000 });
    const asked = discord.command(bot, dm, ann, 'status');
    await until('it is answered', () => asked.responses[0]?.content.includes('Linked with agent'));
  });

  it('shows a reply as it is written, over dropped sockets, errors and lost answers', async () => {
    const message = await ask('how are you?');
    const before = shown().length;
    const turnId = newId();
    await until(
      'the first text is shown',
      () => {
        fixture.live(message, turnId, 'turn.restarted', 0);
        fixture.live(message, turnId, 'text.delta', 1, 'I am ');
        return shown().length > before;
      },
      { everyMs: 200 },
    );
    discord.dropSockets(bot);
    discord.fault(/^PATCH .*messages/, { status: 503 }, 3);
    fixture.live(message, turnId, 'text.delta', 2, '**fine**');
    await fixture.complete(message, 'I am **fine**, thank you', turnId);
    await until('the whole reply is shown', () => shown().at(-1) === 'I am **fine**, thank you');
    expect(shown()).toHaveLength(before + 1);
    discord.fault(/^POST .*messages$/, 'drop after', 1);
    discord.fault(/^POST .*messages$/, { status: 500 }, 1);
    await fixture.complete(message, 'lost answers');
    await until('it is done', async () => {
      const rows = await fixture.rows.query(`SELECT 1 FROM deliveries WHERE body = 'lost answers' AND state = 'done'`);
      return rows.length > 0;
    });
    expect(shown().filter((text) => text === 'lost answers')).toHaveLength(1);
    await until('the gateway is resumed', () => discord.gateway.counts.resumed > 0);
    expect(discord.gateway.counts.identified).toBe(1);
  });

  it('waits as long as Discord asks for, asking nothing meanwhile, and goes on elsewhere', async () => {
    const bob = discord.addUser('bob');
    const other = discord.dm(bot, bob);
    await link(bob);
    const [one, two] = [await ask('limit me'), await ask('and me?', other, bob)];
    discord.http.rateLimits.limits = [{ route: /^POST .*messages$/, limit: 1, perMs: 3_000 }];
    const asked = () => discord.http.requests.filter((route) => route === 'POST /channels/:id/messages').length;
    const before = asked();
    for (const text of ['first', 'second', 'third']) await fixture.complete(one, `limited ${text}`);
    await fixture.complete(two, 'not limited');
    await until('the other chat is answered', () => shown(other).includes('not limited'));
    discord.http.rateLimits.limits = [];
    await until('all are shown', () => shown().includes('limited third'));
    expect(shown().filter((text) => text.startsWith('limited'))).toEqual([
      'limited first',
      'limited second',
      'limited third',
    ]);
    expect(asked() - before).toBeLessThanOrEqual(8);
  });

  it.runIf(IS_FULL)(
    'shows each reply once and loses no message when the process is killed and another takes over',
    async () => {
      const child = await fixture.spawnReplica();
      try {
        // The child gets the lease when this replica gives it back.
        await fixture.replicas.pop()?.stop();
        const message = await ask('count');
        discord.http.latencyMs = 20;
        for (let n = 0; n < REPLIES; n++) await fixture.complete(message, `answer ${n}.`);
        const answers = () => shown().filter((text) => text.startsWith('answer '));
        await until('some are shown', () => answers().length > 10);
        const standby = fixture.startReplica();
        await child.kill();
        const killed = answers().length;
        const at = Date.now();
        expect(killed).toBeLessThan(REPLIES);
        discord.say(ann, dm, 'while nobody listens');
        await standby;
        await until('the other goes on', () => answers().length > killed);
        console.log(`${killed} shown before the kill, takeover after ${Date.now() - at} ms`);
        expect(Date.now() - at).toBeLessThan(25_000);
        await fixture.queued('while nobody listens');
        // Events that the killed process had been handed come again after 30 s.
        await until('all are shown', () => answers().length >= REPLIES, { timeoutMs: 90_000 });
        await until('all are done or uncertain', async () => {
          const open = await fixture.rows.query(
            `SELECT 1 FROM deliveries WHERE state IN ('pending', 'sending') LIMIT 1`,
          );
          return open.length === 0;
        });
        expect(answers()).toHaveLength(REPLIES);
        expect(new Set(answers()).size).toBe(REPLIES);
        expect(discord.gateway.counts.identified).toBe(1);
      } finally {
        discord.http.latencyMs = 0;
        await child.kill();
      }
    },
  );

  it('reports what is missing when the intents are', async () => {
    bot.privilegedIntents = 0;
    discord.invalidate(bot);
    const entry = await until('it has failed', async () => {
      const now = await health();
      return now?.health === 'failed' && now;
    });
    expect(entry.healthReason).toMatch(/4014.*Message Content Intent/);
  });
});
