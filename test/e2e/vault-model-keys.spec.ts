import { logText, startRoost, type TestRoost } from '#lib/testing';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everyRow } from '../every-row.js';

const VALUES = ['canary-of-the-first-key', 'canary-of-the-second-key'] as const;

/** A server of models that says in its answer which key it was asked with, as a careless one does. */
function echoingModels() {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(404).end();
    asked.push(request.headers);
    void json(request).then((body) => {
      const { model } = body as { model: string };
      if (model === 'refusing') {
        response.writeHead(401, { 'content-type': 'application/json' });
        return response.end(
          JSON.stringify({ error: { message: `wrong key ${request.headers.authorization}`, code: 'invalid_api_key' } }),
        );
      }
      const chunk = (choice: object) =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, ...choice }] })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const content = `asked with ${request.headers.authorization}.`;
      response.write(chunk({ delta: { role: 'assistant', content }, finish_reason: null }));
      return response.end(`${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`);
    });
  });
  return { asked, server };
}

describe('a provider’s key that names a secret of the vault', () => {
  const { asked, server } = echoingModels();
  let roost: TestRoost;
  let port: number;
  let secretId: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    // Secrets are for names.
    roost = await startRoost({ env: { OPENAI_BASE_URL: `http://localhost:${port}/v1`, ROOST_BWRAP: '' } });
  });
  afterAll(async () => {
    await roost?.stop();
    server.close();
  });

  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await roost.api<T>(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const makeSecret = async (name: string, hosts: string[], token: string) =>
    (await call<{ id: string }>('POST', '/v1/vault/secrets', { name, hosts, credential: { kind: 'bearer', token } }))
      .id;
  const makeAgent = async (key: string | undefined, model = 'openai/any') =>
    (
      await call<{ id: string }>('POST', '/v1/agent/create', {
        name: 'a',
        configuration: { model },
        ...(key === undefined ? {} : { provider_keys: { openai: key } }),
      })
    ).id;
  /** What the agent answers, or why it does not. */
  const say = async (agentId: string): Promise<string> => {
    const path = `/v1/agent/${agentId}/messages`;
    const { id } = await call<{ id: string }>('POST', path, { content: 'hello' });
    const done = await call<object>('GET', `${path}/${id}?wait=60`);
    return JSON.stringify(done);
  };

  it('is put in when the model is called, and taken out of what it answers', async () => {
    secretId = await makeSecret('model', [`localhost:${port}`], VALUES[0]);
    const agent = await makeAgent('${vault.model}');
    expect(await say(agent)).toContain('asked with [roost: removed]');
    expect(asked.at(-1)?.authorization).toBe(`Bearer ${VALUES[0]}`);
  });

  it('of the account, too; and a new value is sent with the next call', async () => {
    await call('POST', '/auth/provider_keys', { provider: 'openai', api_key: '${vault.model}' });
    const agent = await makeAgent(undefined);
    await say(agent);
    expect(asked.at(-1)?.authorization).toBe(`Bearer ${VALUES[0]}`);
    await call('PATCH', `/v1/vault/secrets/${secretId}`, { credential: { kind: 'bearer', token: VALUES[1] } });
    await say(agent);
    expect(asked.at(-1)?.authorization).toBe(`Bearer ${VALUES[1]}`);
  });

  it.each([
    ['there is none of the name', '${vault.none}', /the vault has no secret called/],
    ['it is for another host', '${vault.elsewhere}', /is not for localhost/],
  ])('is sent to nobody where %s, and the reason is said', async (_, key, reason) => {
    await makeSecret('elsewhere', ['api.example.com'], 'canary-of-another-host').catch(() => undefined);
    const before = asked.length;
    expect(await say(await makeAgent(key))).toMatch(reason);
    expect(asked).toHaveLength(before);
  });

  it('is in no error, row or log', async () => {
    expect(await say(await makeAgent('${vault.model}', 'openai/refusing'))).toMatch(/MODEL_KEY_REFUSED/);
    const rows = await everyRow(roost.databaseUrl);
    expect(JSON.stringify(rows)).not.toMatch(/canary-of/);
    expect(await logText(join(roost.dataDir, 'roost.log'))).not.toMatch(/canary-of/);
  });
});
