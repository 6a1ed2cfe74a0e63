import { type ChatPlatform, messagePosted } from '#lib/contracts';
import { newId } from '#lib/database';
import { type BotApplication, DiscordServer, SlackPlatform, until, type User, publishEvent } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChannelsFixture, type Sent } from '../../test/channels-fixture.js';

describe('what is shown where', () => {
  let slack: SlackPlatform;
  let app: ReturnType<SlackPlatform['addApp']>;
  let discord: DiscordServer;
  let bot: BotApplication;
  let ann: User;
  let fixture: ChannelsFixture;

  beforeAll(async () => {
    [slack, discord] = await Promise.all([SlackPlatform.start(), DiscordServer.start()]);
    discord.http.rateLimits.limits = [];
    app = slack.addApp();
    bot = discord.addBot('robin');
    ann = discord.addUser('ann');
    const { botToken, appToken, signingSecret } = app;
    const urls = { SLACK_API_BASE_URL: slack.url, DISCORD_API_BASE_URL: discord.apiUrl };
    fixture = await ChannelsFixture.open(urls, {
      discordBotToken: bot.token,
      slackBotToken: { botToken, appToken, signingSecret },
    });
    await fixture.startReplica();
    await until('both bots are connected', async () => {
      const leases = await fixture.rows.query(`SELECT 1 FROM connection_leases WHERE health = 'connected'`);
      return leases.length === 2;
    });
    await link('slack', 'U7');
    await link('discord', 'ann');
  });
  afterAll(async () => {
    await fixture.close();
    await Promise.all([slack.stop(), discord.stop()]);
  });

  const inSlack = (userId = 'U7') => slack.shownIn(slack.directChannel(userId)).map(({ text }) => text);
  const inDiscord = () => discord.shown(discord.dm(bot, ann), bot).map(({ content }) => content);
  const say = (platform: 'slack' | 'discord', text: string, user = 'U7') => {
    if (platform === 'discord') discord.say(ann, discord.dm(bot, ann), text);
    else slack.sockets.send(app.appToken, 'events_api', slack.message(user, text));
  };
  const link = async (platform: 'slack' | 'discord', user: string) => {
    const code = await fixture.code(platform);
    say(platform, platform === 'slack' ? `!link ${code}` : `/link ${code}`, user);
    const shown = () => (platform === 'slack' ? inSlack(user) : inDiscord());
    await until(`${user} is linked`, () => shown().some((text) => text.includes('You are talking to Robin')));
  };
  /** As the API would have queued it. */
  const fromApi = (channel: ChatPlatform): Sent => ({
    id: `msg_${newId()}`,
    agentId: fixture.agentId,
    content: 'hello',
    metadata: {},
    channel,
    queueMode: 'collect',
    conversationId: 'default',
  });

  it('answers one person in two channels where each message was written', async () => {
    say('slack', 'from slack');
    say('discord', 'from discord');
    const [one, two] = await Promise.all([fixture.queued('from slack'), fixture.queued('from discord')]);
    expect(one.conversationId).not.toBe(two.conversationId);
    await fixture.complete(two, 'to discord');
    await fixture.complete(one, 'to slack');
    await until('both are answered', () => inSlack().includes('to slack') && inDiscord().includes('to discord'));
    expect(inSlack()).not.toContain('to discord');
    expect(inDiscord()).not.toContain('to slack');
  });

  it('shows what the agent sends by itself, once, in the conversation that it names', async () => {
    const { conversationId } = await fixture.queued('from slack');
    const message = {
      id: `msg_${newId()}`,
      role: 'assistant' as const,
      content: 'I **thought** of you.',
      metadata: {},
      status: 'delivered' as const,
      channel: 'slack' as const,
      queueMode: null,
      conversationId,
      replyToId: null,
      createdAt: new Date(),
      deliveredAt: null,
      readAt: null,
      error: null,
    };
    const posted = { accountId: fixture.accountId, agentId: fixture.agentId, message };
    // Twice, as when the event is published again.
    for (let n = 0; n < 2; n++) await publishEvent(fixture.bus.connection, messagePosted, posted);
    await until('it is shown', () => inSlack().includes('I *thought* of you.'));
    await fixture.complete(await fixture.queued('from slack'), 'after it');
    await until('what follows is shown', () => inSlack().includes('after it'));
    expect(inSlack().filter((text) => text.includes('thought'))).toHaveLength(1);
    expect(inDiscord().join()).not.toContain('thought');
  });

  it('shows the reply to a batch of the API on every platform that was asked for, to the newest link there', async () => {
    await link('slack', 'U8');
    const before = inSlack('U7').length;
    await fixture.complete([fromApi('slack'), fromApi('discord')], 'for everybody');
    await until('both show it', () => inSlack('U8').includes('for everybody') && inDiscord().includes('for everybody'));
    expect(inSlack('U7')).toHaveLength(before);
    await fixture.complete([fromApi('telegram')], 'for nobody');
    await fixture.complete([fromApi('discord')], 'the last');
    await until('what follows is shown', () => inDiscord().includes('the last'));
    expect([...inSlack('U7'), ...inSlack('U8'), ...inDiscord()].join()).not.toContain('for nobody');
  });
});
