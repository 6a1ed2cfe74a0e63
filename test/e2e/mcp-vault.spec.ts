import { MisbehavingMcpServer, startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Health {
  healthy: boolean;
  status_reason: string | null;
}

const VALUES = ['canary-of-the-first-token', 'canary-of-the-second-token'] as const;

describe('an MCP server whose headers name a secret of the vault', () => {
  let roost: TestRoost;
  let server: MisbehavingMcpServer;
  let secretId: string;
  let serverId: string;
  beforeAll(async () => {
    server = await MisbehavingMcpServer.start();
    roost = await startRoost();
  });
  afterAll(async () => {
    await roost?.stop();
    await server?.stop();
  });

  /** Secrets are for names. */
  const url = () => server.url.replace('127.0.0.1', 'localhost');
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await roost.api<T>(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const register = async (name: string, authorization: string) => {
    const { id } = await call<{ id: string }>('POST', '/v1/mcp/servers', {
      name,
      url: url(),
      headers: { authorization },
    });
    return id;
  };
  const health = (id = serverId) => call<Health>('GET', `/v1/mcp/servers/${id}/health`);

  it('is sent the value, and nothing shows it', async () => {
    const made = await call<{ id: string }>('POST', '/v1/vault/secrets', {
      name: 'tools',
      hosts: [new URL(url()).host],
      credential: { kind: 'bearer', token: VALUES[0] },
    });
    secretId = made.id;
    serverId = await register('whole', '${vault.tools}');
    expect(await health()).toMatchObject({ healthy: true });
    expect(server.seen.at(-1)?.authorization).toBe(`Bearer ${VALUES[0]}`);
    const shown = await call('GET', `/v1/mcp/servers/${serverId}`);
    expect(JSON.stringify(shown)).not.toContain(VALUES[0]);
  });

  it('is sent the bare value within other text', async () => {
    expect(await health(await register('part', 'Token ${vault.tools}!'))).toMatchObject({ healthy: true });
    expect(server.seen.at(-1)?.authorization).toBe(`Token ${VALUES[0]}!`);
  });

  it('is asked with the next value after a rotation', async () => {
    await call('PATCH', `/v1/vault/secrets/${secretId}`, { credential: { kind: 'bearer', token: VALUES[1] } });
    await expect.poll(async () => (await health(), server.seen.at(-1)?.authorization)).toBe(`Bearer ${VALUES[1]}`);
  });

  it('answers without the value, whatever it answers', async () => {
    server.tools = { echo: { type: 'object', description: `is ${VALUES[1]}` } };
    const { tools } = await call<{ tools: object[] }>('POST', `/v1/mcp/servers/${serverId}/tools/refresh`);
    expect(tools).toHaveLength(1);
    expect(JSON.stringify(await call('GET', `/v1/mcp/servers/${serverId}`))).not.toContain(VALUES[1]);
  });

  it('is not asked at all by a secret that is none, or for other hosts', async () => {
    await call('POST', '/v1/vault/secrets', {
      name: 'elsewhere',
      hosts: ['api.example.com'],
      credential: { kind: 'bearer', token: VALUES[0] },
    });
    for (const [name, reason] of [
      ['elsewhere', 'is not for localhost'],
      ['missing', 'has no secret called'],
    ] as const) {
      const before = server.seen.length;
      const found = await health(await register(name, `\${vault.${name}}`));
      expect(found).toMatchObject({ healthy: false });
      expect(found.status_reason).toContain(reason);
      expect(server.seen).toHaveLength(before);
    }
  });

  it('is not asked any more once the secret is deleted', async () => {
    await call('DELETE', `/v1/vault/secrets/${secretId}`);
    await expect.poll(async () => (await health()).healthy).toBe(false);
  });
});
