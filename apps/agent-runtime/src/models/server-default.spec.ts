import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ModelCatalogue } from './list-models.js';
import { ServerDefault } from './server-default.js';

/** A server with OpenAI's `/chat/completions`, as Ollama, vLLM and LiteLLM do: here only its list of models. */
describe('the default model where only OPENAI_BASE_URL is set', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked = 0;
  let openaiBaseUrl: string;
  const server = createServer((request, response) => {
    asked++;
    expect(request.url).toBe('/v1/models');
    answer(request, response);
  });
  const lists = (...names: unknown[]) => {
    answer = (_, response) => response.end(JSON.stringify({ object: 'list', data: names.map((id) => ({ id })) }));
  };

  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    openaiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  beforeEach(() => void (asked = 0));
  afterAll(() => void server.close().closeAllConnections());

  const defaultOf = async (more: object = {}, name?: string, agentKeys = {}) =>
    (await new ServerDefault({ keys: {}, openaiBaseUrl, ...more }).platformFor(name, agentKeys)).defaultModel;

  it('is the one model that the server lists', async () => {
    lists('library/llama3.2:1b');
    await expect(defaultOf()).resolves.toBe('openai/library/llama3.2:1b');
    const { models, notes } = await new ModelCatalogue({ keys: {}, openaiBaseUrl }).list({});
    expect(models.find(({ isDefault }) => isDefault)?.id).toBe('openai/library/llama3.2:1b');
    expect(notes).toEqual([]);
  });

  it('is asked for with the key there is: the agent’s, else the platform’s, else none', async () => {
    const keys: (string | undefined)[] = [];
    answer = ({ headers }, response) => {
      keys.push(headers.authorization);
      response.end(JSON.stringify({ data: [{ id: 'm' }] }));
    };
    await defaultOf();
    await defaultOf({ keys: { openai: 'platform-key' } });
    await defaultOf({ keys: { openai: 'platform-key' } }, undefined, { openai: 'agent-key' });
    expect(keys).toEqual([undefined, 'Bearer platform-key', 'Bearer agent-key']);
  });

  it.each([
    ['a model is named', {}, 'openai/other', {}],
    ['a default is set', { defaultModel: 'openai/other' }, undefined, {}],
    ['another provider has a key', { keys: { anthropic: 'k' } }, undefined, {}],
    ['the agent has a key of another provider', {}, undefined, { google: 'k' }],
    ['there is no such server', { openaiBaseUrl: undefined }, undefined, {}],
  ])('is not asked for when %s', async (_, more, name, agentKeys) => {
    lists('m');
    await defaultOf(more, name, agentKeys);
    expect(asked).toBe(0);
  });

  it('is asked for once by many turns, and again when the server was away', async () => {
    answer = (_, response) => response.writeHead(503).end();
    const kept = new ServerDefault({ keys: {}, openaiBaseUrl });
    const turns = () => Promise.all(Array.from({ length: 20 }, () => kept.platformFor(undefined, {})));
    await expect(turns()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(asked).toBe(1);
    lists('m');
    for (let again = 0; again < 2; again++) expect((await turns())[0]?.defaultModel).toBe('openai/m');
    expect(asked).toBe(2);
  });

  const many = Array.from({ length: 500 }, (_, index) => `model-${index}`);
  it.each<[string, typeof answer, RegExp]>([
    [
      'several models',
      (_, response) => response.end(JSON.stringify(listOf(['one', 't\u001bwo']))),
      /2 models \(one, t\\u\{1b\}wo\).*ROOST_DEFAULT_MODEL=openai/,
    ],
    [
      'very many',
      (_, response) => response.end(JSON.stringify(listOf(many))),
      /500 models \(model-0, .*model-9 and 490 more\)/,
    ],
    ['none', (_, response) => response.end(JSON.stringify(listOf([]))), /lists no model/],
    ['a web page', (_, response) => response.end('<html></html>'), /no list of models/],
    ['404', (_, response) => response.writeHead(404).end(), /HTTP 404/],
    ['401', (_, response) => response.writeHead(401).end(), /HTTP 401.*OPENAI_API_KEY/],
  ])('is nobody’s guess when the server answers with %s: it says what to set', async (_, sent, words) => {
    answer = sent;
    await expect(defaultOf()).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringMatching(words) as string,
      details: [{ field: 'configuration.model' }],
    });
    const { model, problem } = await new ModelCatalogue({ keys: {}, openaiBaseUrl }).platformDefault();
    expect(model).toBeUndefined();
    expect(problem).toMatch(words);
    expect(problem?.length).toBeLessThan(2_000);
  });

  it('waits for a server that is away in the turns, not in the start', async () => {
    const { port } = server.address() as AddressInfo;
    const away = openaiBaseUrl.replace(String(port), '1');
    await expect(defaultOf({ openaiBaseUrl: away })).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringContaining('asked again') as string,
    });
    const startedAt = Date.now();
    answer = () => undefined; // never answers
    const { problem } = await new ModelCatalogue({ keys: {}, openaiBaseUrl }).platformDefault();
    expect(problem).toContain('does not answer (no answer in time)');
    expect(Date.now() - startedAt).toBeLessThan(30_000);
  });
});

const listOf = (names: string[]) => ({ data: names.map((id) => ({ id })) });
