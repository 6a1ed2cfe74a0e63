import { DiscordServer, SlackPlatform, startRoost, TelegramPlatform, type TestRoost, until } from '#lib/testing';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf, hasCommands, missing, run } from './commands.js';

const FOLDER = fileURLToPath(new URL('../../docs/channels/', import.meta.url));

/** What a reader has from the platform, and what they do there when the page says so. */
interface Reader {
  env: Record<string, string>;
  say(text: string): Promise<unknown>;
}

describe('the pages of chats', () => {
  let telegram: TelegramPlatform;
  let discord: DiscordServer;
  let slack: SlackPlatform;
  let roost: TestRoost;

  beforeAll(async () => {
    [telegram, discord, slack] = await Promise.all([
      TelegramPlatform.start(),
      DiscordServer.start(),
      SlackPlatform.start(),
    ]);
    discord.http.rateLimits.limits = [];
    roost = await startRoost({
      env: {
        TELEGRAM_API_BASE_URL: telegram.url,
        DISCORD_API_BASE_URL: discord.apiUrl,
        SLACK_API_BASE_URL: slack.url,
      },
    });
  });
  afterAll(async () => {
    await roost?.stop();
    await Promise.all([telegram, discord, slack].map((platform) => platform?.stop()));
  });

  const isConnected = (platform: string) =>
    until(`the bot is connected to ${platform}`, async () => {
      const { body } = await roost.api<{ agents: { id: string }[] }>('GET', '/v1/agent/list?limit=100');
      const lists = await Promise.all(
        body.agents.map(({ id }) =>
          roost.api<{ channels: { type: string; health: string }[] }>('GET', `/v1/agent/${id}/channels`),
        ),
      );
      return lists.some(({ body: { channels } }) =>
        channels.some(({ type, health }) => type === platform && health === 'connected'),
      );
    });

  const readers: Record<string, () => Reader> = {
    telegram: () => {
      const token = '5000:token-of-a-bot-as-botfather-gives-it';
      telegram.addBot(token);
      return { env: { TELEGRAM_BOT_TOKEN: token }, say: (text) => telegram.say(token, 7, text) };
    },
    discord: () => {
      const bot = discord.addBot('robin');
      const person = discord.addUser('ann');
      const dm = discord.dm(bot, person);
      return {
        env: { DISCORD_BOT_TOKEN: bot.token },
        say: (text) => Promise.resolve(discord.say(person, dm, text)),
      };
    },
    slack: () => {
      const app = slack.addApp();
      return {
        env: {
          SLACK_BOT_TOKEN: app.botToken,
          SLACK_APP_TOKEN: app.appToken,
          SLACK_SIGNING_SECRET: app.signingSecret,
        },
        // What begins with a slash is a command of Slack's own client.
        say: (text) =>
          Promise.resolve(
            slack.sockets.send(app.appToken, 'events_api', slack.message('U7', text.replace(/^\//, '!'))),
          ),
      };
    },
  };

  it('all have commands', () => {
    const platforms = readdirSync(FOLDER).filter((name) => name !== 'add-a-platform.md');
    expect(platforms.filter((name) => hasCommands(`docs/channels/${name}`)).sort()).toEqual(
      Object.keys(readers)
        .map((name) => `${name}.md`)
        .sort(),
    );
  });

  it.skipIf(missing.length > 0).each(Object.keys(readers))('lead from a token to a linked chat: %s', async (name) => {
    const reader = readers[name]?.() ?? { env: {}, say: () => Promise.resolve() };
    let isLinking: Promise<unknown> | undefined;
    const output = await run('bash', ['-c', commandsOf(`docs/channels/${name}.md`)], {
      env: { ROOST_URL: roost.url, ROOST_API_KEY: roost.apiKey, ...reader.env },
      onOutput: (all) => {
        const [link] = /\/link \S+(?=\n)/.exec(all) ?? [];
        if (link) isLinking ??= isConnected(name).then(() => reader.say(link));
      },
    });
    await isLinking;
    expect(output).toContain('"listen": "all"');
    expect(output.split('\n')).not.toContain('null');
  });
});
