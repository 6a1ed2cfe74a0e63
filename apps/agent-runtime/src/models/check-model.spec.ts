import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptLists, modelProblem } from './check-model.js';

/** One server that lists models as OpenAI, Anthropic and Google do; a key other than `right` is refused. */
describe('a model that is set', () => {
  let url: string;
  let listed: string[] = [];
  let asked = 0;
  const server = createServer(({ headers }, response) => {
    asked += 1;
    const key = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers.authorization?.replace('Bearer ', '');
    if (key !== undefined && key !== 'right') return void response.writeHead(401).end();
    const data = listed.map((id) => ({ id }));
    response.end(JSON.stringify({ data, models: listed.map((name) => ({ name: `models/${name}` })) }));
  });
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close().closeAllConnections());

  const problemOf = (name: string, models: string[], platform: object) => {
    listed = models;
    return modelProblem(name, { keys: {}, ...platform });
  };
  const server1 = () => ({ openaiBaseUrl: `${url}/v1` });
  const anthropic = (key = 'right') => ({ keys: { anthropic: key }, anthropicBaseUrl: url });
  const google = () => ({ keys: { google: 'right' }, googleBaseUrl: url });

  it.each([
    ['openai/llama3', ['llama3:latest'], server1],
    ['qwen/qwen3:free', ['qwen/qwen3'], server1],
    ['anything', ['openai/*'], server1],
    ['anything', [], server1],
    ['claude-sonnet-4-5', ['claude-sonnet-4-5-20250929'], anthropic],
    ['claude-opus-4-0', ['claude-opus-4-20250514'], anthropic],
    ['claude-none', ['claude-sonnet-4-5-20250929'], () => anthropic('wrong')],
    ['claude-none', Array.from({ length: 100 }, (_, index) => `claude-${index}`), anthropic],
    ['claude-none', ['claude-sonnet-4-5-20250929'], () => ({})],
    ['google/gemini-3', ['gemini-3'], google],
    ['demo', [], server1],
  ])('is taken when it is there or nobody knows: %s of %j', async (name, models, platform) => {
    await expect(problemOf(name, models, platform())).resolves.toBeUndefined();
  });

  it.each([
    [
      'openai/llama4',
      ['llama3:latest', 'qwen\u001b'],
      server1,
      /openai does not list this model.* llama3:latest, qwen\\u\{1b\}$/,
    ],
    ['claude-sonnet-9', ['claude-sonnet-4-5-20250929'], anthropic, /anthropic does not list/],
    ['gemini-0', ['gemini-3'], google, /google does not list/],
    ['gemini-0', Array.from({ length: 150 }, (_, index) => `gemini-x${index}`), google, /and 140 more$/],
    ['no-such-model', [], () => ({}), /no provider is known/],
  ])('is refused when its provider lists others: %s', async (name, models, platform, words) => {
    await expect(problemOf(name, models, platform())).resolves.toMatch(words);
  });

  it('costs its provider one request a minute, however many agents are made', async () => {
    const lists = keptLists();
    listed = ['llama3'];
    asked = 0;
    const names = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 'llama3' : `none-${index}`));
    const problems = await Promise.all(names.map((name) => modelProblem(name, { keys: {}, ...server1() }, lists)));
    expect(problems.filter((problem) => problem === undefined)).toHaveLength(25);
    expect(asked).toBe(1);
  });
});
