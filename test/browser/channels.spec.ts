import { TelegramPlatform, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dashboard } from './open-dashboard.js';

const TOKEN = '7001:token-of-a-bot-as-botfather-gives-it';
const PERSON = 7;

describe('the channels of an agent', () => {
  let telegram: TelegramPlatform;
  let dashboard: Dashboard;
  let agentId: string;

  beforeAll(async () => {
    telegram = await TelegramPlatform.start();
    dashboard = await Dashboard.open({ TELEGRAM_API_BASE_URL: telegram.url, TELEGRAM_UPDATES: 'polling' });
    agentId = await dashboard.agent('talker');
  });
  afterAll(async () => {
    await dashboard?.close();
    await telegram?.stop();
  });

  const page = () => dashboard.page;
  const card = (platform: string) => page().getByRole('region', { name: new RegExp(`^${platform}`) });
  const connect = async (token: string) => {
    await card('Telegram').getByLabel('Bot token').fill(token);
    await card('Telegram').getByRole('button', { name: 'Connect the bot' }).click();
  };

  it('say step by step how a bot is made on each platform', async () => {
    await dashboard.go(`/agents/${agentId}/channels`);
    for (const [platform, step] of [
      ['Telegram', '@BotFather'],
      ['Discord', 'Message Content Intent'],
      ['Slack', 'connections:write'],
    ] as const) {
      await card(platform).getByText('Not set up').waitFor();
      await card(platform).getByText(`Set up a bot for ${platform}`).click();
      await card(platform).getByText(step).waitFor();
    }
    await page().getByText('roost channels link "talker" telegram').waitFor();
  });

  it('say why a bot cannot be used, and connect it once its token is right', async () => {
    await connect('7001:another-token-than-botfather-gives');
    await card('Telegram').getByText('Failed').waitFor();
    await card('Telegram')
      .getByText(/telegram_bot_token/)
      .waitFor();
    telegram.addBot(TOKEN);
    await connect(TOKEN);
    await card('Telegram').getByText('Connected').waitFor();
    await card('Telegram').getByText('Nobody is linked').waitFor();
  });

  it('link whoever sends the code, while it is looked at', async () => {
    await card('Telegram').getByRole('button', { name: 'Link somebody' }).click();
    const command = page().getByRole('dialog').getByLabel('Command', { exact: true });
    await command.waitFor();
    await expect.poll(() => dashboard.place).toMatch(/\?link=telegram$/);
    await telegram.say(TOKEN, PERSON, (await command.textContent()) ?? '');
    await page().getByText('Linked: say something to it there').waitFor();
    await page().getByRole('button', { name: 'Done' }).click();
    await card('Telegram')
      .getByText(/linked/)
      .waitFor();
    await telegram.say(TOKEN, PERSON, 'hello');
    await until('the agent answers there', () => telegram.textsIn(PERSON).some((text) => text.includes('hello')));
  });

  it('change what of a person’s messages the agent gets, and say when they cannot be reached', async () => {
    await card('Telegram').getByLabel('In groups the agent gets').selectOption('All that this person writes');
    await page().getByText('Saved.').waitFor();
    const { body } = await dashboard.roost.api<{ binding: { listen: string } }>(
      'GET',
      `/v1/agent/${agentId}/telegram/status`,
    );
    expect(body.binding.listen).toBe('all');
    telegram.rules.refuse(PERSON);
    await telegram.say(TOKEN, PERSON, 'are you there?');
    await card('Telegram')
      .getByText(/blocked by the user/)
      .first()
      .waitFor();
    telegram.rules.accept(PERSON);
  });

  it('unlink them after a question', async () => {
    await card('Telegram').getByRole('button', { name: 'Unlink all' }).click();
    await page().getByRole('dialog').getByRole('button', { name: 'Unlink all' }).click();
    await card('Telegram').getByText('Nobody is linked').waitFor();
    expect(dashboard.complaints).toEqual([]);
  });
});
