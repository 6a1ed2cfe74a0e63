import { type BotApplication, DiscordServer, until } from '#lib/testing';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionState, InboundMessage } from '../adapters/channel-adapter.js';
import { DiscordConnection } from './discord-connection.js';

describe('a Discord connection', () => {
  let discord: DiscordServer;
  let bot: BotApplication;
  let memory: string | undefined;
  const open: DiscordConnection[] = [];
  const received: InboundMessage[] = [];
  const states: ConnectionState[] = [];

  const connect = (token = bot.token) => {
    const connection = new DiscordConnection(discord.apiUrl, token, {
      onMessage: (message) => Promise.resolve(void received.push(message)),
      onState: (state) => states.push(state),
      memory: { load: () => Promise.resolve(memory), save: (text) => Promise.resolve(void (memory = text)) },
    });
    open.push(connection);
    return connection;
  };
  const state = (health: ConnectionState['health']) =>
    until(`it is ${health}`, () => states.at(-1)?.health === health && states.at(-1));
  const once = { key: 'k', isRepeat: false };

  beforeEach(async () => {
    discord = await DiscordServer.start();
    bot = discord.addBot('robin');
    memory = undefined;
    received.length = 0;
    states.length = 0;
  });

  afterEach(async () => {
    for (const connection of open.splice(0)) await connection.close();
    await discord.stop();
  });

  it('reports that a token is wrong, and asks no more', async () => {
    connect('MQ.wrong.token');
    expect(await state('failed')).toMatchObject({ reason: expect.stringContaining('discord_bot_token') });
    expect(discord.http.requests).toEqual(['GET /users/@me']);
  });

  it('reports that a token was revoked while connected, and sends nothing with it', async () => {
    const connection = connect();
    await state('connected');
    const dm = discord.dm(bot, discord.addUser('ann'));
    discord.rotateToken(bot);
    expect(await state('failed')).toMatchObject({ reason: expect.stringContaining('4004') });
    await expect(connection.send(dm.id, 'x', once)).rejects.toMatchObject({ outcome: 'retry' });
    const asked = discord.http.requests.length;
    await expect(connection.send(dm.id, 'x', once)).rejects.toMatchObject({ outcome: 'retry' });
    expect(discord.http.requests).toHaveLength(asked);
  });

  it('stays away for an hour when asked to, for one channel or for all', async () => {
    const connection = connect();
    await state('connected');
    const [one, two] = ['ann', 'bob'].map((name) => discord.dm(bot, discord.addUser(name)).id);
    discord.http.rateLimits.force(/^POST .*messages$/, 3_600);
    const isLong = (error: unknown) => (error as { retryAfterMs: number }).retryAfterMs > 3_500_000;
    await expect(connection.send(one ?? '', 'x', once)).rejects.toSatisfy(isLong);
    const asked = discord.http.requests.length;
    await expect(connection.send(one ?? '', 'x', once)).rejects.toSatisfy(isLong);
    expect(discord.http.requests).toHaveLength(asked);
    discord.http.rateLimits.force(/./, 3_600, true);
    await expect(connection.showTyping(two ?? '')).rejects.toSatisfy(isLong);
    const after = discord.http.requests.length;
    await expect(connection.edit(two ?? '', '1', 'x')).rejects.toSatisfy(isLong);
    expect(discord.http.requests).toHaveLength(after);
  });

  it('sorts what becomes of a message, and shows one key once', async () => {
    const connection = connect();
    await state('connected');
    const ann = discord.addUser('ann');
    const dm = discord.dm(bot, ann);
    discord.fault(/^POST .*messages$/, 'drop after');
    const first = await connection.send(dm.id, 'once', once).catch(() => undefined);
    const second = await connection.send(dm.id, 'once', { ...once, isRepeat: true });
    expect(discord.shown(dm, bot).map(({ id }) => id)).toEqual([second]);
    expect([undefined, second]).toContain(first);
    await expect(connection.send('1', 'x', once)).rejects.toMatchObject({ outcome: 'failed' });
    await expect(connection.edit(dm.id, '1', 'x')).rejects.toMatchObject({ outcome: 'failed' });
    discord.fault(/^POST .*messages$/, { status: 500 }, 3);
    await expect(connection.send(dm.id, 'x', { key: 'other', isRepeat: false })).rejects.toMatchObject({
      outcome: 'uncertain',
    });
    const bytes = Readable.from([Buffer.from('one '), Buffer.from('two')]);
    await connection.sendFile(dm.id, { name: 'a.txt', sizeBytes: 7, bytes }, { key: 'file', isRepeat: false });
    const file = discord.shown(dm, bot).at(-1);
    expect(file && discord.fileOf(file)?.toString()).toBe('one two');
  });

  it('finds what was shown long ago, when Discord has forgotten its nonce', async () => {
    const connection = connect();
    await state('connected');
    const dm = discord.dm(bot, discord.addUser('ann'));
    const since = new Date(Date.now() - 3_600_000);
    const first = await connection.send(dm.id, 'long ago', { key: 'one', isRepeat: false, since });
    const again = { key: 'another nonce', isRepeat: true, since };
    await expect(connection.send(dm.id, 'long ago', again)).resolves.toBe(first);
    await expect(connection.send(dm.id, 'never shown', again)).resolves.not.toBe(first);
  });

  it('goes on with the session of the connection before it', async () => {
    const before = connect();
    await state('connected');
    const ann = discord.addUser('ann');
    discord.say(ann, discord.dm(bot, ann), 'one');
    await until('it is received', () => received.length === 1);
    await before.close();
    open.length = 0;
    discord.say(ann, discord.dm(bot, ann), 'two');
    connect();
    await until('what came in between is received', () => received.some(({ text }) => text === 'two'));
    expect(received.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(discord.gateway.counts).toMatchObject({ identified: 1, resumed: 1 });
  });

  it('begins a new session when the old one is gone', async () => {
    await connect().close();
    open.length = 0;
    connect();
    await state('connected');
    discord.invalidate(bot);
    await until('it has a new session', () => discord.gateway.counts.identified >= 2);
    const ann = discord.addUser('ann');
    await until('it receives', () => {
      if (received.length === 0) discord.say(ann, discord.dm(bot, ann), 'hello');
      return received.length > 0;
    });
  });
});
