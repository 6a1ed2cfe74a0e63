import { LLMock } from '@copilotkit/aimock';
import {
  type BotApplication,
  type Channel,
  DiscordServer,
  startRoost,
  type TestRoost,
  until,
  type User,
} from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface LinkBody {
  code: string;
  instructions: string;
}
interface StatusBody {
  linked: boolean;
  binding: Record<string, string> | null;
}
interface MessagesBody {
  messages: { role: string; status: string; content: string; channel: string }[];
}
interface ChannelsBody {
  channels: { type: string; health: string; health_reason?: string; linked: boolean }[];
}

const STORY = Array.from({ length: 40 }, (_, n) => `Sentence ${n} of the **story**.`).join(' ');

describe('a person on Discord', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let discord: DiscordServer;
  let bot: BotApplication;
  let ann: User;
  let dm: Channel;
  let roost: TestRoost;
  let agent: string;

  beforeAll(async () => {
    await mock.start();
    mock.onMessage('tell me a story', { content: STORY }, { chunkSize: 40, latency: 200 });
    mock.onMessage('take this', { content: 'Taken.' });
    mock.onMessage('an endless story', { content: STORY.repeat(20) }, { chunkSize: 20, latency: 250 });
    mock.onMessage('Stop what you are doing', { content: 'I have stopped.' });
    mock.onMessage('say it in the chat too', { content: 'In both places.' });
    mock.onMessage('give me the report', { content: 'Here is [the report](/workspace/report.txt).' });
    discord = await DiscordServer.start();
    discord.interactions.answerMs = 60_000;
    discord.http.rateLimits.limits = [];
    bot = discord.addBot('robin');
    ann = discord.addUser('ann');
    dm = discord.dm(bot, ann);
    roost = await startRoost({
      env: {
        DISCORD_API_BASE_URL: discord.apiUrl,
        OPENAI_BASE_URL: `${mock.url}/v1`,
        OPENAI_API_KEY: 'sk-test',
        ROOST_DEFAULT_MODEL: 'openai/gpt-test',
      },
    });
    const created = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'Robin',
      discord_bot_token: bot.token,
    });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    agent = `/v1/agent/${created.body.id}`;
  });

  afterAll(async () => {
    await roost.stop();
    await discord.stop();
    await mock.stop();
  });

  const shown = () => discord.shown(dm, bot);
  const last = () => shown().at(-1)?.content ?? '';

  it('links with the slash command', async () => {
    const link = await roost.api<LinkBody>('POST', `${agent}/discord/link`);
    expect(link.status, JSON.stringify(link.body)).toBe(200);
    expect(link.body.instructions).toContain(link.body.code);
    await until('the bot has its commands', () => bot.commands.length === 9);
    const connected = async () => {
      const { body } = await roost.api<ChannelsBody>('GET', `${agent}/channels`);
      return body.channels.find(({ type }) => type === 'discord')?.health === 'connected';
    };
    await until('the bot is connected', connected);
    const asked = discord.command(bot, dm, ann, 'link', { code: link.body.code });
    await until('it is answered', () => asked.responses[0]?.content.includes('Robin'));
    const status = await roost.api<StatusBody>('GET', `${agent}/discord/status`);
    expect(status.body).toMatchObject({
      linked: true,
      binding: { discord_user_id: ann.id, discord_username: 'ann', queue_mode: 'collect' },
    });
  });

  it('sees the reply as it is written, in one message', async () => {
    const before = shown().length;
    discord.say(ann, dm, 'tell me a story');
    await until('the story is shown', () => last() === STORY);
    expect(shown()).toHaveLength(before + 1);
    const versions = discord.messages.edits.get(shown().at(-1)?.id ?? '') ?? [];
    expect(versions.length).toBeGreaterThan(2);
    for (const version of versions) expect(STORY.startsWith(version.replace(/\*+$/, '').trimEnd())).toBe(true);
    expect(discord.messages.typing).toContain(dm.id);
  });

  it('gives a file to the agent', async () => {
    discord.say(ann, dm, 'take this', {
      files: [{ name: 'data.csv', type: 'text/csv', data: Buffer.from('a,b\n1,2\n') }],
    });
    await until('it is answered', () => last() === 'Taken.');
    const { body } = await roost.api<MessagesBody>('GET', `${agent}/messages?limit=20`);
    const path = /\/workspace\/(inbox\/\S+data\.csv)/.exec(JSON.stringify(body))?.[1];
    expect(path, JSON.stringify(body)).toBeDefined();
    const file = await roost.api<{ content: string }>('GET', `${agent}/filesystem/files/${path}`);
    expect(file.body.content).toBe('a,b\n1,2\n');
  });

  it('gets a file from the agent', async () => {
    await roost.api('POST', `${agent}/filesystem/files/report.txt`, { content: 'all is well' });
    discord.say(ann, dm, 'give me the report');
    const file = await until('the file is shown', () => shown().find(({ attachments }) => attachments.length > 0));
    expect(file.attachments[0]?.filename).toBe('report.txt');
    expect(discord.fileOf(file)?.toString()).toBe('all is well');
    expect(shown().map(({ content }) => content)).toContain('Here is the report.');
  });

  it('explains a file that is too large', async () => {
    const before = shown().length;
    discord.say(ann, dm, '', {
      files: [{ name: 'film.mkv', type: 'video/x-matroska', data: Buffer.alloc(50 * 1024 * 1024 + 1) }],
    });
    await until('it is refused', () => shown().length > before && /film\.mkv/.test(last()));
  });

  it('is shown what the API asked for this chat, and the API is refused when nobody is there', async () => {
    const asked = await roost.api<{ id: string }>('POST', `${agent}/messages`, {
      content: 'say it in the chat too',
      channel: 'discord',
    });
    expect(asked, JSON.stringify(asked.body)).toMatchObject({ status: 201, body: { channel: 'discord' } });
    await until('it is shown', () => last() === 'In both places.');
    const { body } = await roost.api<{ replies: { content: string }[] }>(
      'GET',
      `${agent}/messages/${asked.body.id}?wait=30`,
    );
    expect(body.replies.map(({ content }) => content)).toEqual(['In both places.']);
    const refused = await roost.api('POST', `${agent}/messages`, { content: 'anybody?', channel: 'slack' });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  });

  it('stops the agent', async () => {
    discord.say(ann, dm, 'an endless story');
    await until('it begins', () => last().startsWith('Sentence 0'));
    discord.command(bot, dm, ann, 'stop');
    await until('the story has ended', () => shown().some(({ content }) => content.endsWith('(interrupted)')));
    await until('the agent says so', () => last() === 'I have stopped.');
  });

  it('unlinks, and receives nothing more', async () => {
    discord.say(ann, dm, '/unlink');
    await until('it is unlinked', () => last().startsWith('Unlinked'));
    expect((await roost.api<StatusBody>('GET', `${agent}/discord/status`)).body.linked).toBe(false);
    discord.say(ann, dm, 'are you there?');
    await until('the bot asks for a code', () => last().includes('/link CODE'));
  });

  it('says why a bot cannot connect, and connects with the next token', async () => {
    const rotated = discord.rotateToken(bot);
    const health = async () => {
      const { body } = await roost.api<ChannelsBody>('GET', `${agent}/channels`);
      return body.channels.find(({ type }) => type === 'discord');
    };
    const failed = await until('it has failed', async () => {
      const entry = await health();
      return entry?.health === 'failed' && entry;
    });
    expect(failed.health_reason).toMatch(/discord_bot_token/);
    const updated = await roost.api('POST', agent.replace('agent/', 'agent/update/'), { discord_bot_token: rotated });
    expect(updated.status).toBe(200);
    await until('it is connected', async () => (await health())?.health === 'connected');
  });
});
