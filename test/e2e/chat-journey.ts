import { LLMock } from '@copilotkit/aimock';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { expect } from 'vitest';

/** One person in front of one platform, as a journey sees it. */
export interface ChatPerson {
  say(text: string): Promise<void>;
  sendFile(text: string, name: string, bytes: Buffer): Promise<void>;
  /** Texts of the bot in this chat, as they are now, oldest first. */
  texts(): string[];
  files(): { name: string; bytes: Buffer }[];
  /** How often the newest text was edited. */
  edits(): number;
}

export interface ChatRoost extends TestRoost {
  model: LLMock;
}

/** A whole Roost whose model is scripted: a slow one for what is streamed, quick ones for the rest. */
export async function startChatRoost(env: Record<string, string>): Promise<ChatRoost> {
  const model = new LLMock({ port: 0, logLevel: 'silent' });
  await model.start();
  model.onMessage('tell me a story', { content: STORY }, { chunkSize: 40, latency: 150 });
  model.onMessage('count forever', { content: 'and on '.repeat(400) }, { chunkSize: 7, latency: 250 });
  model.onMessage('Stop what you are doing', { content: 'I stopped.' });
  model.onMessage('give me the report', { content: 'Here it is: [the report](/workspace/out/report.txt)' });
  model.onMessage('Files that came', { content: 'I have your file.' });
  model.onMessage('say it in the chat too', { content: 'In both places.' });
  model.onMessage('still there', { content: 'I am still here.' });
  const settings = {
    OPENAI_BASE_URL: `${model.url}/v1`,
    OPENAI_API_KEY: 'sk-test',
    ROOST_DEFAULT_MODEL: 'openai/gpt-test',
  };
  const roost = await startRoost({ env: { ...settings, ...env } });
  return {
    ...roost,
    model,
    async stop() {
      await roost.stop();
      await model.stop();
    },
  };
}

export const STORY = Array.from({ length: 30 }, (_, n) => `Sentence ${n} of a **long** story.`).join(' ');

interface Binding {
  id: string;
  queue_mode: string;
}

/** Sends a code to the bot and waits until it says whom one talks to. */
export async function link(roost: TestRoost, agentId: string, platform: string, person: ChatPerson): Promise<Binding> {
  const made = await roost.api<{ code: string }>('POST', `/v1/agent/${agentId}/${platform}/link`);
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  await person.say(`/link ${made.body.code}`);
  const status = await until('the person is linked', async () => {
    const { body } = await roost.api<{ binding: Binding | null }>('GET', `/v1/agent/${agentId}/${platform}/status`);
    return body.binding;
  });
  await until('the bot says so', () => person.texts().some((text) => text.includes('You are talking to')));
  return status;
}

/** link → chat → streamed reply → file both ways → /stop → unlink. */
export async function chatJourney(roost: TestRoost, agentId: string, platform: string, person: ChatPerson) {
  await link(roost, agentId, platform, person);
  const last = () => person.texts().at(-1) ?? '';

  await person.say('tell me a story');
  await until(
    'the reply is shown while it is written',
    () => last().includes('Sentence 0') && !last().includes('Sentence 29'),
    {
      timeoutMs: 30_000,
      everyMs: 10,
    },
  );
  const shown = person.texts().length;
  await until('the whole reply is there', () => last().includes('Sentence 29'), { timeoutMs: 30_000 });
  expect(person.texts()).toHaveLength(shown);
  expect(person.edits()).toBeGreaterThan(0);

  const photo = Buffer.from('bytes of a photo'.repeat(5_000));
  await person.sendFile('', 'photo of us.png', photo);
  await until('the agent answers', () => last().includes('I have your file'), { timeoutMs: 30_000 });
  const { body } = await roost.api<{ messages: { content: string }[] }>(
    'GET',
    `/v1/agent/${agentId}/messages?limit=100`,
  );
  const path = /\/workspace\/(inbox\/[^\n]*photo of us\.png) \(80000 bytes\)/.exec(
    body.messages.map(({ content }) => content).join('\n'),
  )?.[1];
  const kept = await roost.api<{ size: number }>(
    'GET',
    `/v1/agent/${agentId}/filesystem/metadata/${encodeURI(path ?? '')}`,
  );
  expect(kept.body.size).toBe(photo.length);

  const report = 'All is well.\n'.repeat(10_000);
  await roost.api('POST', `/v1/agent/${agentId}/filesystem/files/out/report.txt`, { content: report });
  await person.say('give me the report');
  const file = await until('the file is shown', () => person.files()[0], { timeoutMs: 30_000 });
  expect(file.name).toBe('report.txt');
  expect(file.bytes.toString()).toBe(report);
  await until('its words are shown', () => last().includes('Here it is: the report'), { timeoutMs: 30_000 });

  const asked = await roost.api<{ id: string; conversation_id: string }>('POST', `/v1/agent/${agentId}/messages`, {
    content: 'say it in the chat too',
    channel: platform,
  });
  expect([asked.status, asked.body], JSON.stringify(asked.body)).toMatchObject([
    201,
    { channel: platform, conversation_id: 'default' },
  ]);
  await until('the reply to the API is shown here too', () => last().includes('In both places.'), {
    timeoutMs: 30_000,
  });
  const { body: answered } = await roost.api<{ replies: { content: string }[] }>(
    'GET',
    `/v1/agent/${agentId}/messages/${asked.body.id}?wait=30`,
  );
  expect(answered.replies.map(({ content }) => content)).toEqual(['In both places.']);
  const { body: all } = await roost.api<{ conversations: { id: string; channel: string }[] }>(
    'GET',
    `/v1/agent/${agentId}/conversations`,
  );
  expect(all.conversations.find(({ id }) => id === 'default')?.channel).toBe('api');

  await person.say('count forever');
  await until('it counts', () => last().includes('and on'), { timeoutMs: 30_000 });
  await person.say('/stop');
  await until('it stopped', () => last().includes('I stopped.'), { timeoutMs: 30_000 });
  await until('what was cut is marked', () => person.texts().some((text) => text.includes('(interrupted)')), {
    timeoutMs: 30_000,
  });

  await person.say('/unlink');
  await until('the bot says so', () => last().includes('Unlinked'));
  const { body: after } = await roost.api('GET', `/v1/agent/${agentId}/${platform}/status`);
  expect(after).toMatchObject({ linked: false, binding: null });
  const refused = await roost.api('POST', `/v1/agent/${agentId}/messages`, { content: 'anybody?', channel: platform });
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  await person.say('hello?');
  await until('the bot asks for a code', () => last().includes('/link'));
}
