import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelCatalogue } from './list-models.js';

/** Lists each key's own models, as Anthropic's `GET /v1/models` does; other keys are refused. */
const provider = createServer((request, response) => {
  asked++;
  const key = String(request.headers['x-api-key']);
  if (key !== 'platform' && key !== 'account') return void response.writeHead(401).end('{}');
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: [{ id: `claude-for-${key}` }] }));
});
let asked = 0;
let anthropicBaseUrl: string;

beforeAll(async () => {
  await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
  anthropicBaseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterAll(() => provider.close());

describe('the models that can be used', () => {
  const names = async (catalogue: ModelCatalogue, accountKeys = {}) =>
    (await catalogue.list(accountKeys)).models.map(({ id }) => id);

  it('are those of the account’s keys beside the platform’s, each account its own', async () => {
    const catalogue = new ModelCatalogue({ keys: {}, anthropicBaseUrl });
    expect(await names(catalogue)).toEqual(['demo']);
    expect(await names(catalogue, { anthropic: 'account' })).toContain('anthropic/claude-for-account');
    expect(await names(catalogue)).toEqual(['demo']);
  });

  it('are asked for with the account’s key in place of the platform’s, and kept for a while', async () => {
    const catalogue = new ModelCatalogue({ keys: { anthropic: 'platform' }, anthropicBaseUrl });
    expect(await names(catalogue)).toContain('anthropic/claude-for-platform');
    const before = asked;
    for (let time = 0; time < 3; time++)
      expect(await names(catalogue, { anthropic: 'account' })).not.toContain('anthropic/claude-for-platform');
    expect(asked - before).toBe(1);
  });

  it('come with a note when a provider does not list them, and are asked for again', async () => {
    const catalogue = new ModelCatalogue({ keys: {}, anthropicBaseUrl });
    const before = asked;
    for (let time = 0; time < 2; time++) expect((await catalogue.list({ anthropic: 'wrong' })).notes).toHaveLength(1);
    expect(asked - before).toBe(2);
  });
});
