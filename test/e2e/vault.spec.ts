import { startRoost, type TestRoost, until } from '#lib/testing';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Hosts, startHosts } from '../egress/hosts.js';

interface Grant {
  id: string;
  use_count: number;
  refusal_count: number;
  last_refusal: string | null;
  ask: boolean;
}

interface Approval {
  id: string;
  arguments: string;
  status: string;
}

const CANARIES = ['canary-of-the-first-value', 'canary-of-the-second-value'] as const;
const trusted = mkdtempSync(join(tmpdir(), 'roost-vault-'));
const before = process.env['NODE_EXTRA_CA_CERTS'];
let hosts: Hosts;
let roost: TestRoost;
let agentId: string;
let receiver: Server;
/** Bodies of webhooks, in the order in which they came. */
const webhooks: string[] = [];

beforeAll(async () => {
  hosts = await startHosts((_, response) => void response.end('welcome'));
  writeFileSync(join(trusted, 'hosts.pem'), hosts.authority.certificate);
  process.env['NODE_EXTRA_CA_CERTS'] = join(trusted, 'hosts.pem');
  receiver = createServer((request, response) => {
    void text(request).then((body) => webhooks.push(body) && response.end());
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  roost = await startRoost({ env: { ROOST_EGRESS_ALLOWED_RANGES: '127.0.0.0/8,::1/128' } });
});
afterAll(async () => {
  await roost?.stop();
  hosts?.close();
  receiver?.close();
  if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
  else process.env['NODE_EXTRA_CA_CERTS'] = before;
  rmSync(trusted, { recursive: true, force: true });
});

async function call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<T> {
  const { status, body: answer } = await roost.api<T>(method, path, body);
  expect(status, `${method} ${path}: ${JSON.stringify(answer)}`).toBeLessThan(300);
  return answer;
}
/** Has the agent run a command in its sandbox; returns what it answers. */
async function run(command: string): Promise<string> {
  const sent = await call<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content: `run: ${command}` });
  const path = `/v1/agent/${agentId}/messages/${sent.id}?wait=60`;
  const { replies } = await call<{ replies: { content: string }[] }>('GET', path);
  return replies.map(({ content }) => content).join('\n');
}
const grantOf = async () => (await call<{ grants: Grant[] }>('GET', `/v1/agent/${agentId}/vault/grants`)).grants[0];
const sentTo = (path: string) => hosts.arrivals.filter((arrival) => arrival.path === path);

const makeAgent = async (name: string) =>
  (await call<{ id: string }>('POST', '/v1/agent/create', { name, configuration: { model: 'demo' } })).id;

it('a secret of the vault is on the agent’s requests to its host, and in nothing else', async () => {
  agentId = await makeAgent('a');
  const secret = await call<{ id: string }>('POST', '/v1/vault/secrets', {
    name: 'far',
    hosts: [`localhost:${hosts.port}`],
    path_prefixes: ['/allowed'],
    credential: { kind: 'bearer', token: CANARIES[0] },
  });
  const grants = `/v1/agent/${agentId}/vault/grants`;
  const grant = await call<Grant>('POST', grants, { secret_id: secret.id, env_name: 'FAR_TOKEN' });
  // Without --noproxy what is named localhost would be sought in the sandbox.
  const curl = (path: string) =>
    `curl -sS --noproxy '' -H "Authorization: Bearer $FAR_TOKEN" https://localhost:${hosts.port}${path} 2>&1`;

  // The sandbox has the placeholder, the host the value.
  expect(await run('env')).toMatch(/FAR_TOKEN=roost-placeholder-[A-Za-z0-9]{32}\b/);
  expect(await run(curl('/allowed/1'))).toContain('welcome');
  expect(sentTo('/allowed/1')[0]?.headers['authorization']).toBe(`Bearer ${CANARIES[0]}`);
  await until('the use is counted', async () => (await grantOf())?.use_count === 1);
  expect(await call('GET', `/v1/vault/secrets/${secret.id}`)).toMatchObject({ last_used_by: agentId });

  // Where it does not belong it is refused with the reason, and nothing is sent.
  expect(await run(curl('/forbidden'))).toContain('Roost');
  expect(sentTo('/forbidden')).toEqual([]);
  const refused = await until('the refusal is recorded', async () => {
    const found = await grantOf();
    return found && found.refusal_count > 0 ? found : undefined;
  });
  expect(refused.last_refusal).toEqual(expect.any(String));

  // A rotated value is on the next request; the sandbox keeps its placeholder.
  await call('PATCH', `/v1/vault/secrets/${secret.id}`, { credential: { kind: 'bearer', token: CANARIES[1] } });
  await until('the new value is sent', async () => {
    await run(curl('/allowed/2'));
    return sentTo('/allowed/2').some(({ headers }) => headers['authorization'] === `Bearer ${CANARIES[1]}`);
  });

  // After the grant is revoked no request carries it.
  await call('DELETE', `${grants}/${grant.id}`);
  const arrived = hosts.arrivals.length;
  await run(`TOKEN=$FAR_TOKEN; ${curl('/allowed/3')}`);
  const after = hosts.arrivals.slice(arrived).map(({ headers }) => String(headers['authorization']));
  expect(after.filter((value) => CANARIES.some((canary) => value.includes(canary)))).toEqual([]);

  const shown = await Promise.all(
    ['/messages', '/runs', '/network/log', '/vault/grants'].map((path) => call('GET', `/v1/agent/${agentId}${path}`)),
  );
  expect(JSON.stringify(shown)).not.toMatch(/canary-of/);
});

it('a grant that asks holds curl until a person decides: once, always, or not', async () => {
  agentId = await makeAgent('asks');
  const credential = { kind: 'bearer', token: CANARIES[0] };
  const secret = await call<{ id: string }>('POST', '/v1/vault/secrets', {
    name: 'asked',
    hosts: [`localhost:${hosts.port}`],
    credential,
  });
  const grants = `/v1/agent/${agentId}/vault/grants`;
  const grant = await call<Grant>('POST', grants, { secret_id: secret.id, env_name: 'ASKED_TOKEN', ask: true });
  const curl = (path: string) =>
    run(`curl -sS --noproxy '' -H "Authorization: Bearer $ASKED_TOKEN" https://localhost:${hosts.port}${path} 2>&1`);
  const waiting = () =>
    until('a person is asked', async () => {
      const { approvals } = await call<{ approvals: Approval[] }>(
        'GET',
        `/v1/approvals?status=pending&agent_id=${agentId}`,
      );
      return approvals[0];
    });
  const decide = (id: string, decision: object) => call('POST', `/v1/approvals/${id}/decide`, decision);

  // The command waits; the person sees what the request is; it is sent when it is allowed.
  const first = curl('/asked/1?x=1');
  const approval = await waiting();
  expect(approval).toMatchObject({ kind: 'credential', run_id: null, grant_id: grant.id, tool: 'vault:asked' });
  expect(JSON.parse(approval.arguments)).toEqual({
    ...{ host: `localhost:${hosts.port}`, method: 'GET', path: '/asked/1?x=1', secret: 'asked' },
  });
  expect(sentTo('/asked/1?x=1')).toEqual([]);
  await decide(approval.id, { decision: 'allow_once' });
  expect(await first).toContain('welcome');
  expect(sentTo('/asked/1?x=1')[0]?.headers['authorization']).toBe(`Bearer ${CANARIES[0]}`);

  // Denied: the agent reads why, and nothing is sent.
  const second = curl('/asked/2');
  await decide((await waiting()).id, { decision: 'deny', message: 'not this one' });
  expect(await second).toMatch(/was denied: not this one/);
  expect(sentTo('/asked/2')).toEqual([]);

  // Always: the grant asks no more, which is to be seen and can be taken back.
  const third = curl('/asked/3');
  await decide((await waiting()).id, { decision: 'allow_always' });
  expect(await third).toContain('welcome');
  await until('the grant asks no more', async () => (await grantOf())?.ask === false);
  expect(await curl('/asked/4')).toContain('welcome');
  await call('PATCH', `${grants}/${grant.id}`, { ask: true });
  const last = curl('/asked/5');
  const { id } = await waiting();
  await call('DELETE', `${grants}/${grant.id}`);
  await until('nothing is asked of a revoked grant', async () => {
    const { status } = await call<Approval>('GET', `/v1/approvals/${id}`);
    return status === 'cancelled';
  });
  await last;
  expect(sentTo('/asked/5')).toEqual([]);
});

it('webhooks say what is changed in the vault, and never a value', async () => {
  agentId = await makeAgent('watched');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  await call('POST', '/v1/webhooks/endpoints', { url, events: ['*'] });
  const limited = `${url}/of-the-agent`;
  await call('POST', '/v1/webhooks/endpoints', {
    url: limited,
    events: ['vault_secret.rotated'],
    agent_ids: [agentId],
  });
  const values = ['first', 'second', 'third'].map((name) => `canary-of-webhooks-${name}`);
  const basic = (password: string) => ({ kind: 'basic', username: 'ada', password });
  const secrets = '/v1/vault/secrets';
  const { id } = await call<{ id: string }>('POST', secrets, {
    ...{ name: 'watched', hosts: ['api.example.com'], credential: basic(values[0] ?? '') },
  });
  const grants = `/v1/agent/${agentId}/vault/grants`;
  const grant = await call<Grant>('POST', grants, { secret_id: id, env_name: 'WATCHED' });
  await call('PATCH', `${secrets}/${id}`, { hosts: ['api.example.com', 'api.example.org'] });
  await call('PATCH', `${secrets}/${id}`, { credential: basic(values[1] ?? '') });
  await call('PATCH', `${secrets}/${id}`, { description: 'of the bot', credential: basic(values[2] ?? '') });
  await call('PATCH', `${grants}/${grant.id}`, { ask: true });
  await call('DELETE', `${grants}/${grant.id}`);
  await call('POST', grants, { secret_id: id });
  await call('DELETE', `${secrets}/${id}`);
  const placeholder = /roost-placeholder-\w+/;
  const ofVault = () =>
    webhooks
      .map((body) => JSON.parse(body) as { type: string; data: { agent_id?: string; secret?: object; grant?: Grant } })
      .filter(({ type }) => type.startsWith('vault_'));
  const wanted = [
    ...['vault_secret.created', 'vault_grant.created', 'vault_secret.updated'],
    ...['vault_secret.rotated', 'vault_secret.rotated', 'vault_grant.updated'],
    ...['vault_grant.deleted', 'vault_grant.created', 'vault_grant.deleted', 'vault_secret.deleted'],
  ];
  await until('all have come', () => ofVault().length >= wanted.length);
  const came = ofVault();
  expect(came.map(({ type }) => type).sort()).toEqual(wanted.sort());
  for (const { type, data } of came) {
    if (type.startsWith('vault_secret')) expect(data.secret).toMatchObject({ id, name: 'watched' });
    else expect(data).toMatchObject({ agent_id: agentId, grant: { secret: 'watched', secret_id: id } });
  }
  const everything = webhooks.join('\n');
  expect(values.filter((value) => everything.includes(value) || everything.includes(btoa(value)))).toEqual([]);
  expect(everything).not.toMatch(placeholder);
  // A secret is of the account: an endpoint for one agent gets none of it.
  const { deliveries } = await call<{ deliveries: { event: string }[] }>('GET', '/v1/webhooks/deliveries?limit=100');
  expect(deliveries.filter(({ event }) => event === 'vault_secret.rotated')).toHaveLength(2);
});
