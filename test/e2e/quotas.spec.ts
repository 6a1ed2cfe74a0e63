import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminCredentials, serviceInboxPrefix } from '#lib/nats-auth';
import { newAccount, startRoost, type TestRoost, until } from '#lib/testing';
import { runCommand } from '#tools/admin';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Quota {
  name: string;
  limit: number;
  used: number | null;
}
interface Refusal {
  error: { code: string; message: string; details: Record<string, unknown>[] };
}
type Answer = { status: number; body: unknown };

/** Few enough to be answered in time where other suites run beside. */
const AT_ONCE = 20;

let roost: TestRoost;
let bus: NatsConnection;
let agent: string;

beforeAll(async () => {
  roost = await startRoost({ env: { ROOST_RATE_LIMIT_PER_MINUTE: '1000000', ROOST_MCP_NETWORK: 'local' } });
  const seed = readFileSync(join(roost.dataDir, 'credentials', 'account.seed'), 'utf8');
  bus = await connect({
    servers: roost.natsUrl,
    inboxPrefix: serviceInboxPrefix('admin'),
    authenticator: credsAuthenticator(new TextEncoder().encode(await adminCredentials(seed))),
  });
  const made = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'first' });
  agent = made.body.id;
  await roost.api('POST', `/v1/agent/${agent}/pause`);
});
afterAll(async () => {
  await bus?.close();
  await roost?.stop();
});

const admin = (line: string) => runCommand(bus, line.split(' '), { name: 'admin', enableAgents: false });
const post = (path: string, body: object, key?: string) =>
  roost.api<{ id: string } & Refusal>('POST', path, body, key ? { 'idempotency-key': key } : {});
async function quota(name: string): Promise<Quota> {
  const { body } = await roost.api<{ quotas: Quota[] }>('GET', '/v1/account/quotas');
  const found = body.quotas.find((one) => one.name === name);
  if (!found) throw new Error(`no quota ${name}`);
  return found;
}

interface Kind {
  make: (key?: string) => Promise<Answer>;
  remove: (made: { id: string; endpoint?: { id: string } }) => Promise<Answer>;
}
const kinds: Record<string, Kind> = {
  agents: {
    make: (key) => post('/v1/agent/create', { name: 'one' }, key),
    remove: ({ id }) => roost.api('POST', `/v1/agent/delete/${id}`),
  },
  schedules: {
    make: (key) =>
      post(`/v1/agent/${agent}/schedules`, { name: 's', cron_expression: '0 * * * *', message_template: 'x' }, key),
    remove: ({ id }) => roost.api('DELETE', `/v1/agent/${agent}/schedules/${id}`),
  },
  triggers: {
    make: (key) => post(`/v1/agent/${agent}/triggers`, { name: 't', message_template: 'x' }, key),
    remove: ({ id }) => roost.api('DELETE', `/v1/agent/${agent}/triggers/${id}`),
  },
  webhook_endpoints: {
    make: (key) => post('/v1/webhooks/endpoints', { url: 'http://127.0.0.1:9999/', events: ['agent.error'] }, key),
    remove: ({ id, endpoint }) => roost.api('DELETE', `/v1/webhooks/endpoints/${endpoint?.id ?? id}`),
  },
  mcp_servers: {
    make: (key) => post('/v1/mcp/servers', { name: `m-${(key ?? randomUUID()).slice(0, 8)}`, command: 'true' }, key),
    remove: ({ id }) => roost.api('DELETE', `/v1/mcp/servers/${id}`),
  },
  api_keys: {
    make: (key) => post('/auth/platform_keys', { name: 'k' }, key),
    remove: ({ id }) => roost.api('DELETE', `/auth/platform_keys/${id}`),
  },
};

describe.each(Object.entries(kinds))('the quota of %s', (name, { make, remove }) => {
  it('lets exactly one of many at once have the last slot, says what is wrong, and gives capacity back at once', async () => {
    const { used } = await quota(name);
    const limit = (used ?? 0) + 1;
    await admin(`account quota local ${name} ${limit}`);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => make()));
    const made = answers.filter(({ status }) => status === 201);
    expect(made, JSON.stringify(answers[0]?.body)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 403);
    expect(refused, JSON.stringify(answers.find(({ status }) => status !== 403 && status !== 201)?.body)).toHaveLength(
      AT_ONCE - 1,
    );
    for (const { body } of refused)
      expect(body).toMatchObject({
        error: { code: 'QUOTA_EXCEEDED', details: [{ quota: name, limit, used: limit }] },
      });
    expect((refused[0]?.body as Refusal).error.message).toMatch(/at most .* or ask the operator/);
    expect(await quota(name)).toEqual({ name, limit, used: limit });

    // A refused request may be carried out later under the same key, and a repeated one counts once.
    const key = randomUUID();
    expect((await make(key)).status).toBe(403);
    expect((await remove(made[0]?.body as { id: string })).status).toBe(200);
    const [first, again] = [await make(key), await make(key)];
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(await quota(name)).toMatchObject({ used: limit });
    await remove(first.body as { id: string });
    await admin(`account quota local ${name} default`);
    expect((await quota(name)).limit).toBeGreaterThan(limit);
  });
});

describe('quotas', () => {
  it('count the bytes that volumes may come to, at create and when one grows', async () => {
    const used = (await quota('stored_bytes')).used ?? 0;
    await admin(`account quota local stored_bytes ${used + 2 ** 30}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('/v1/agent/create', { name: 'volume', pvc_size: '1Gi' })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const { body } = await post(`/v1/agent/update/${agent}`, { pvc_size: '2Gi' });
    expect(body).toMatchObject({ error: { code: 'QUOTA_EXCEEDED', details: [{ quota: 'stored_bytes' }] } });
    const { id } = answers.find(({ status }) => status === 201)!.body;
    await roost.api('POST', `/v1/agent/delete/${id}`);
    expect((await post(`/v1/agent/update/${agent}`, { pvc_size: '2Gi' })).status).toBe(200);
    await admin('account quota local stored_bytes default');
  });

  it('count the messages that wait, exactly, and a repeated one once', async () => {
    await admin('account quota local messages_waiting 10');
    const send = (key?: string) => post(`/v1/agent/${agent}/messages`, { content: 'hello' }, key);
    await until('the limit is known', async () => (await quota('messages_waiting')).limit === 10);
    const key = randomUUID();
    expect((await send(key)).status).toBe(201);
    // What was known of the limit before may be a second old.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await send();
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(8);
    expect(answers.find(({ status }) => status === 403)?.body).toMatchObject({
      error: { code: 'QUOTA_EXCEEDED', details: [{ quota: 'messages_waiting', limit: 10, used: 10 }] },
    });
    expect((await send(key)).status).toBe(201);
    expect(await quota('messages_waiting')).toMatchObject({ used: 10 });
    await roost.api('POST', `/v1/agent/${agent}/resume`);
    await until('they are answered', async () => (await quota('messages_waiting')).used === 0);
    await until('there is capacity again', async () => (await send()).status === 201);
    await admin('account quota local messages_waiting default');
  });

  it('of awake workspaces let more agents work than may be awake, one after another', async () => {
    const account = await newAccount(roost);
    await admin(`account quota ${account.email} awake_workspaces 2`);
    const ask = async (n: number) => {
      const made = await account.api<{ id: string }>('POST', '/v1/agent/create', { name: `sleeper-${n}` });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      const messages = `/v1/agent/${made.body.id}/messages`;
      const sent = await account.api<{ id: string }>('POST', messages, { content: `run: echo hello-$((${n} + 100))` });
      expect(sent.status, JSON.stringify(sent.body)).toBe(201);
      const answer = await account.api('GET', `${messages}/${sent.body.id}?wait=60`);
      return JSON.stringify(answer.body);
    };
    // Another account's workspace is neither put to sleep nor kept waiting.
    const list = () => roost.api('GET', `/v1/agent/${agent}/filesystem/directories/`);
    const [answers, listed] = await Promise.all([Promise.all(Array.from({ length: 5 }, (_, n) => ask(n))), list()]);
    expect(listed.status).toBe(200);
    expect(await quota('awake_workspaces')).toMatchObject({ limit: 50, used: 1 });
    for (const [n, answer] of answers.entries()) expect(answer).toContain(`hello-${n + 100}`);
    const { body } = await account.api<{ quotas: Quota[] }>('GET', '/v1/account/quotas');
    expect(body.quotas.find(({ name }) => name === 'awake_workspaces')).toEqual({
      name: 'awake_workspaces',
      limit: 2,
      used: 2,
    });
  });

  it('count event streams from the request to the end of the connection', async () => {
    await admin('account quota local event_streams 3');
    const open = async () => {
      const stop = new AbortController();
      const { status } = await fetch(`${roost.url}/v1/agent/${agent}/events`, {
        headers: { authorization: `Bearer ${roost.apiKey}` },
        signal: stop.signal,
      });
      return { status, stop };
    };
    const streams = await Promise.all(Array.from({ length: 20 }, open));
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(streams.filter(({ status }) => status === 403)).toHaveLength(17);
    for (const { stop } of streams) stop.abort();
    await until('they are closed', async () => (await quota('event_streams')).used === 0);
    const last = await open();
    expect(last.status).toBe(200);
    last.stop.abort();
    await admin('account quota local event_streams default');
  });

  it('are shown whole, the same to a user, and each account has its own', async () => {
    const { body } = await roost.api<{ quotas: Quota[] }>('GET', '/v1/account/quotas');
    expect(body.quotas.every(({ limit, used }) => limit > 0 && used !== null)).toBe(true);
    const user = await roost.api<{ quotas: Quota[] }>('GET', '/auth/fetch_user_quota');
    expect(user.body.quotas).toEqual(body.quotas);
    await admin('account create quota@example.test');
    await admin('account quota quota@example.test agents 7');
    expect((await admin('account quota quota@example.test')).join('\n')).toMatch(/agents\s+0 of 7/);
    expect((await quota('agents')).limit).toBe(200);
    await expect(admin('account quota local agents many')).rejects.toThrow(/needs a limit/);
    await expect(admin('account quota local llamas 1')).rejects.toThrow(/no quota "llamas"/);
    await expect(admin('account quota local agents -1')).rejects.toThrow(/needs a limit/);
  });
});
