import { Client, Events, GatewayIntentBits, Partials, type RESTOptions } from 'discord.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.js';
import { DiscordServer } from './discord-server.js';
import type { BotApplication } from './world.js';

/** The peer is as good as what an unmodified discord.js 14 makes of it. */
describe('the local Discord, through discord.js 14', () => {
  let discord: DiscordServer;
  let bot: BotApplication;
  const clients: Client[] = [];

  const connect = async (rest: Partial<RESTOptions> = {}, token = bot.token) => {
    const client = new Client({
      intents: [
        GatewayIntentBits.Guilds,
        GatewayIntentBits.GuildMessages,
        GatewayIntentBits.DirectMessages,
        GatewayIntentBits.MessageContent,
      ],
      partials: [Partials.Channel],
      rest: { api: discord.apiUrl, offset: 0, ...rest },
    });
    clients.push(client);
    const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
    await client.login(token);
    await ready;
    return client;
  };
  const textsOf = (client: Client) => {
    const texts: string[] = [];
    client.on(Events.MessageCreate, (message) => void (message.author.bot || texts.push(message.content)));
    return texts;
  };

  beforeEach(async () => {
    discord = await DiscordServer.start();
    bot = discord.addBot('robin');
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.destroy();
    await discord.stop();
  });

  it('signs in, announces guilds, and carries messages and files both ways', async () => {
    const { channel } = discord.addGuild('home', [bot]);
    const ann = discord.addUser('ann');
    const client = await connect();
    expect(client.guilds.cache.first()?.name).toBe('home');
    const texts = textsOf(client);
    client.on(Events.MessageCreate, (message) => {
      if (!message.author.bot)
        void message.reply({ content: 'pong', files: [{ attachment: Buffer.from('hi'), name: 'a.txt' }] });
    });
    discord.say(ann, channel, 'ping');
    const [reply] = await until('the bot replies', () => {
      const shown = discord.shown(channel, bot);
      return shown.length > 0 && shown;
    });
    expect(texts).toEqual(['ping']);
    expect(reply).toMatchObject({ content: 'pong', type: 19 });
    expect(reply && discord.fileOf(reply)?.toString()).toBe('hi');
    const sent = await (await client.users.fetch(ann.id)).send({ content: 'psst' });
    await sent.edit('psst!');
    expect(discord.shown(discord.dm(bot, ann), bot).map(({ content }) => content)).toEqual(['psst!']);
    await sent.delete();
    expect(discord.shown(discord.dm(bot, ann), bot)).toEqual([]);
  });

  it('says what is wrong with a message, and shows one nonce once', async () => {
    const client = await connect();
    const person = await client.users.fetch(discord.addUser('ann').id);
    await expect(person.send('x'.repeat(2_001))).rejects.toMatchObject({
      code: 50_035,
      rawError: { errors: { content: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH' }] } } },
    });
    await expect(person.send(' \n ')).rejects.toMatchObject({ code: 50_006 });
    await expect(person.send({ files: [Buffer.alloc(11 * 1024 * 1024)] })).rejects.toMatchObject({ status: 413 });
    const once = { content: 'once', nonce: 'n1', enforceNonce: true };
    const [first, second] = [await person.send(once), await person.send(once)];
    expect(second.id).toBe(first.id);
  });

  it('resumes after a lost socket and opcode 7, and identifies anew when the session is gone', async () => {
    const ann = discord.addUser('ann');
    const client = await connect();
    const texts = textsOf(client);
    let resumes = 0;
    client.on(Events.ShardResume, () => void resumes++);
    discord.dropSockets(bot);
    discord.say(ann, discord.dm(bot, ann), 'while away');
    await until('the message is replayed', () => texts.includes('while away'));
    discord.askReconnect(bot);
    // Its own word for it: discord.js fails when the session goes before it has taken note of the resume.
    await until('it has resumed again', () => resumes === 2);
    expect(discord.gateway.counts.resumed).toBe(2);
    expect(discord.gateway.counts.identified).toBe(1);
    discord.invalidate(bot);
    await until('it identifies', () => discord.gateway.counts.identified === 2);
    discord.say(ann, discord.dm(bot, ann), 'back?');
    await until('it receives again', () => texts.includes('back?'));
    expect(texts.filter((text) => text === 'while away')).toHaveLength(1);
  });

  it('refuses wrong tokens and intents that are not switched on', async () => {
    await expect(connect({}, 'MQ.wrong.token')).rejects.toThrow(/invalid token/i);
    const blind = discord.addBot('blind', 0);
    await expect(connect({}, blind.token)).rejects.toThrow(/disallowed intents/i);
    await expect(connect({}, discord.rotateToken(bot))).resolves.toBeDefined();
  });

  it('limits rates by route, which the SDK obeys, and answers with errors on demand', async () => {
    discord.http.rateLimits.limits = [{ route: /messages$/, limit: 3, perMs: 400 }];
    const client = await connect();
    const person = await client.users.fetch(discord.addUser('ann').id);
    for (let n = 0; n < 8; n++) await person.send(`n${n}`);
    expect(discord.shown(discord.dm(bot, discord.world.users.get(person.id) ?? bot.user), bot)).toHaveLength(8);
    expect(discord.http.rateLimits.refused).toBe(0);
    discord.http.rateLimits.force(/messages$/, 60);
    client.rest.options.rejectOnRateLimit = () => true;
    await expect(person.send('later')).rejects.toMatchObject({ name: expect.stringContaining('RateLimitError') });
    discord.fault(/GET \/users\/:id/, { status: 502 }, 2);
    await expect(client.users.fetch(person.id, { force: true })).resolves.toBeDefined();
  });

  it('registers commands and takes their answers', async () => {
    const ann = discord.addUser('ann');
    const client = await connect();
    await client.application?.commands.set([{ name: 'status', description: 'Which agent this is' }]);
    client.on(Events.InteractionCreate, (interaction) => {
      if (!interaction.isChatInputCommand()) return;
      void interaction.deferReply().then(() => interaction.editReply(`you are ${interaction.user.username}`));
    });
    const asked = discord.command(bot, discord.dm(bot, ann), ann, 'status');
    await until('it is answered', () => asked.responses[0]?.content === 'you are ann');
  });
});
