import { startRoost, type TestRoost } from '#lib/testing';
import { answeringModel } from '#tools/launcher';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oneModelServer, type OneModelServer } from '../doubles/one-model-server.js';

/** All that is set is OPENAI_BASE_URL, as somebody does who has Ollama on his machine. */
describe('a server with one model', () => {
  let server: OneModelServer;
  let roost: TestRoost;
  const banner = () => answeringModel(roost);
  const create = (more: object = {}) =>
    roost.api<{ id: string; error: { details: object[] } }>('POST', '/v1/agent/create', { name: 'a', ...more });

  beforeAll(async () => {
    server = await oneModelServer('Hello from your own machine.');
    await server.close();
    roost = await startRoost({ env: { OPENAI_BASE_URL: server.url } });
  });
  afterAll(async () => {
    await roost.stop();
    await server.close();
  });

  it('that is started after Roost answers what was asked before', async () => {
    await expect(banner()).resolves.toMatch(/^none yet: .*does not answer \(ECONNREFUSED\); it is asked again/);
    const { body: agent } = await create();
    const path = `/v1/agent/${agent.id}/messages`;
    const sent = await roost.api<{ id: string }>('POST', path, { content: 'hello' });
    await server.listen();
    const answer = await roost.api<{ replies: { content: string }[] }>('GET', `${path}/${sent.body.id}?wait=60`);
    expect(answer.body.replies.map(({ content }) => content)).toEqual(['Hello from your own machine.']);
    expect(new Set(server.asked)).toEqual(new Set(['llama3.2:latest']));
    await expect(banner()).resolves.toBe('openai/llama3.2:latest');
  });

  it('takes only models that it has, by their names or short ones', async () => {
    const unknown = { configuration: { model: 'openai/llama4' } };
    const refused = await create(unknown);
    expect(refused.status).toBe(400);
    expect(refused.body.error.details).toMatchObject([{ field: 'configuration.model', reason: 'unknown_model' }]);
    const made = await create({ configuration: { model: 'llama3.2' } });
    expect(made.status).toBe(201);
    const updated = await roost.api('POST', `/v1/agent/update/${made.body.id}`, unknown);
    expect(updated.status).toBe(400);
  });

  it.each([
    ['discord_bot_token', { discord_bot_token: 'no-token' }],
    ['telegram_bot_token', { telegram_bot_token: 'no-token' }],
    ['slack_bot_token.bot_token', { slack_bot_token: { bot_token: 'no-token', signing_secret: 's' } }],
  ])('and a malformed %s is refused by its name', async (field, body) => {
    const refused = await create(body);
    expect(refused.status).toBe(400);
    expect(refused.body.error.details).toMatchObject([{ field }]);
    expect(JSON.stringify(refused.body)).not.toContain('no-token');
  });
});
