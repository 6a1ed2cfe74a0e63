import { spawnRoost, type SpawnedRoost, temporaryFolder, until } from '#lib/testing';
import { rotateMasterKey } from '#tools/admin';
import { describe, expect, it } from 'vitest';
import { everyRow } from '../every-row.js';

describe('kill -9 of the platform', () => {
  it('loses no message and answers it once after the restart, with every secret under a new master key', async () => {
    const dataDir = temporaryFolder();
    // The turn is taken over when the dead worker's lease ends: by default that is half a minute of waiting.
    const leaseMs = 6_000;
    const env = { ROOST_LEASE_MS: String(leaseMs) };
    let roost = await spawnRoost({ dataDir, env });
    // The demo answers, whatever keys there are: nothing is asked of anybody outside.
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'a',
      discord_bot_token: 'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs',
      configuration: { model: 'demo' },
    });
    await makeSecrets(roost, `/v1/agent/${agent.body.id}`);
    const before = await sealedRows(roost.databaseUrl);
    const [oldKey, ...otherKeys] = new Set(before.map(({ key }) => key));
    expect(otherKeys).toEqual([]);
    const messages = `/v1/agent/${agent.body.id}/messages`;
    const sent = await roost.api<{ id: string }>('POST', messages, {
      content: 'run: touch begun; sleep 3; echo done',
    });
    expect(sent.status).toBe(201);
    const begun = `/v1/agent/${agent.body.id}/filesystem/metadata/begun`;
    await until('its turn runs', async () => (await roost.api('GET', begun)).status === 200);
    await roost.kill();

    rotateMasterKey(dataDir);
    roost = await spawnRoost({ dataDir, env });
    const readyAt = Date.now();
    try {
      const answer = await roost.api<{ message: { delivered_at: string }; replies: { content: string }[] }>(
        'GET',
        `${messages}/${sent.body.id}?wait=60`,
      );
      expect(answer.body.replies).toHaveLength(1);
      // Taken over when the lease is over: nothing else of the killed one is waited for.
      expect(Date.parse(answer.body.message.delivered_at) - readyAt).toBeLessThan(leaseMs + 15_000);
      const list = await roost.api<{ messages: { role: string }[] }>('GET', messages);
      expect(list.body.messages.map((message) => message.role)).toEqual(['user', 'assistant']);
      const after = await until('nothing is sealed under the old key', async () => {
        const rows = await sealedRows(roost.databaseUrl);
        return rows.every(({ key }) => key !== oldKey) && rows;
      });
      const tables = ['lifecycle.account_provider_keys', 'lifecycle.agents', 'runtime.mcp_servers'];
      expect([...new Set(after.map(({ table }) => table))]).toEqual(
        expect.arrayContaining([...tables, 'scheduler.triggers', 'webhooks.endpoints']),
      );
      expect(after.length).toBeGreaterThanOrEqual(before.length);
    } finally {
      await roost.stop();
    }
  });
});

/** One of everything that is kept sealed, each by another service. */
async function makeSecrets(roost: SpawnedRoost, agent: string): Promise<void> {
  const things: [path: string, body: object][] = [
    ['/auth/provider_keys', { provider: 'openai', api_key: 'sk-y' }],
    [`${agent}/triggers`, { name: 't', message_template: 'x' }],
    ['/v1/webhooks/endpoints', { url: `${roost.url}/hook`, events: ['*'] }],
    ['/v1/mcp/servers', { name: 's', url: `${roost.url}/mcp`, headers: { authorization: 'Bearer z' } }],
  ];
  for (const [path, body] of things) {
    const made = await roost.api('POST', path, body);
    expect(made.status, `${path}: ${JSON.stringify(made.body)}`).toBe(201);
  }
}

/** Every sealed value there is, by the master key that it is sealed under. */
async function sealedRows(databaseUrl: string): Promise<{ table: string; key: string }[]> {
  const rows = await everyRow(databaseUrl);
  return rows.flatMap(({ table, text }) =>
    [...text.matchAll(/"v1\.([\w-]+)\.[\w-]+\.[\w-]+"/g)].map(([, key = '']) => ({ table, key })),
  );
}
