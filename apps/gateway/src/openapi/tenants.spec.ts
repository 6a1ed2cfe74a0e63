import { startRoost, type TestRoost } from '#lib/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Body {
  id: string;
  key: string;
  error: unknown;
  meta: unknown;
  openapi: string;
  paths: Record<string, Record<string, object>>;
}

describe('two tenants over real services', () => {
  let roost: TestRoost;
  let agentId: string;
  let stranger: string;

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway', 'agent-lifecycle', 'messaging'] });
    agentId = (await roost.api<Body>('POST', '/v1/agent/create', { name: 'mine' })).body.id;
    const made = await roost.api<Body>('POST', '/auth/platform_keys', { name: 'theirs' });
    const client = new Client(roost.databaseUrl);
    await client.connect();
    await client.query(
      `WITH account AS (
         INSERT INTO gateway.accounts (id, name, agents_enabled) VALUES (gen_random_uuid(), 'stranger', true) RETURNING id)
       UPDATE gateway.api_keys SET account_id = (SELECT id FROM account) WHERE id = $1`,
      [made.body.id],
    );
    await client.end();
    stranger = `Bearer ${made.body.key}`;
  });
  afterAll(async () => roost?.stop());

  it('cannot tell another account’s agent from one that never was, on any route', async () => {
    const { paths } = (await roost.api<Body>('GET', '/openapi.json')).body;
    const routes = Object.entries(paths).filter(([path]) =>
      /agent\/(\w+\/)?\{id\}(\/messages|\/pause|\/resume|\/stop|\/status|\/balance|\/summary|\/ready|\/events)?$/.test(
        path,
      ),
    );
    expect(routes.length).toBeGreaterThan(10);
    for (const [path, methods] of routes)
      for (const method of Object.keys(methods)) {
        const call = (id: string) =>
          roost.api<Body>(
            method.toUpperCase(),
            path.replace('{id}', id),
            method === 'post' ? bodyFor(path) : undefined,
            { authorization: stranger },
          );
        const [theirs, nobodys] = [await call(agentId), await call('01890000-0000-7000-8000-00000000dead')];
        expect(theirs.status, `${method} ${path}`).toBe(404);
        expect(theirs.body.error, `${method} ${path}`).toEqual(nobodys.body.error);
      }
    expect((await roost.api('GET', `/v1/agent/${agentId}`)).status).toBe(200);
  });
});

function bodyFor(path: string): object {
  if (path.endsWith('/messages')) return { content: 'hi' };
  if (path.endsWith('/status')) return { status: 'paused' };
  if (path.endsWith('/balance')) return { delta: 1 };
  return {};
}
