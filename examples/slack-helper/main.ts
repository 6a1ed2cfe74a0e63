/**
 * A helper in Slack that answers from a handbook. It makes the agent, connects its Slack app and prints a code that
 * links you with it; after that Roost alone answers, and this program need not run. Start it again whenever the handbook
 * has changed.
 */
import { readFile } from 'node:fs/promises';
import { type Agent, type Channel, Roost } from '@roost-ai/sdk';

const { ROOST_URL = 'http://localhost:3000', ROOST_API_KEY = '' } = process.env;
const { SLACK_BOT_TOKEN = '', SLACK_APP_TOKEN = '', SLACK_SIGNING_SECRET = '' } = process.env;

const SETTINGS = {
  system_prompt:
    'You help the people of a company in Slack. Read handbook.md before you answer, and answer from it alone, in at ' +
    'most three sentences. Where it says nothing, say so and name whom to ask.',
  slack_bot_token: { bot_token: SLACK_BOT_TOKEN, app_token: SLACK_APP_TOKEN, signing_secret: SLACK_SIGNING_SECRET },
};

const roost = new Roost({ url: ROOST_URL, apiKey: ROOST_API_KEY });
const agent = await helper();
await agent.files.write('handbook.md', await readFile('handbook.md'));

const slack = await connected(agent);
console.log('The app is connected.');
if (!slack.linked) {
  const { code } = await agent.channels.link('slack');
  console.log(`Within ten minutes, write to the app in Slack: /link ${code}`);
}

async function helper(): Promise<Agent> {
  const name = 'slack helper';
  for await (const found of roost.agents.list()) {
    if (found.name !== name) continue;
    await roost.agents.update(found.id, SETTINGS);
    return roost.agent(found.id);
  }
  return roost.agents.create({ name, ...SETTINGS });
}

async function connected({ channels }: Agent): Promise<Channel> {
  for (;;) {
    const slack = (await channels.list()).find(({ type }) => type === 'slack');
    if (slack?.health === 'connected') return slack;
    if (slack?.health === 'failed') throw new Error(`Slack: ${slack.health_reason}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
