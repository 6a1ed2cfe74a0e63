import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminCredentials, serviceInboxPrefix } from '#lib/nats-auth';
import { startRoost, type TestRoost } from '#lib/testing';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './commands.js';
import { rotateMasterKey } from './rotate-master-key.js';

describe('the operator', () => {
  let roost: TestRoost;
  let bus: NatsConnection;
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway', 'agent-lifecycle'] });
    const seed = readFileSync(join(roost.dataDir, 'credentials', 'account.seed'), 'utf8');
    bus = await connect({
      servers: roost.natsUrl,
      inboxPrefix: serviceInboxPrefix('admin'),
      authenticator: credsAuthenticator(new TextEncoder().encode(await adminCredentials(seed))),
    });
  });
  afterAll(async () => {
    await bus?.close();
    await roost?.stop();
  });
  const run = async (line: string, more: object = {}) =>
    (await runCommand(bus, line.split(' '), { name: 'admin', enableAgents: false, ...more })).join('\n');
  const statusWith = async (key: string) =>
    (await roost.api('GET', '/v1/agent/list', undefined, { authorization: `Bearer ${key}` })).status;

  it('makes an account that can sign in, a key for it, and opens agents to it at once', async () => {
    const email = 'Ada@example.test';
    const made = await run(`account create ${email}`);
    const password = /password {2}(\S+)/.exec(made)?.[1];
    const session = await roost.api<{ token: string }>(
      'POST',
      '/auth/login',
      { email, password },
      { authorization: '' },
    );
    expect(session.status).toBe(200);
    const key = /roost_sk_\w+/.exec(await run(`key create ${email}`, { name: 'ci' }))?.[0] ?? '';
    expect(await statusWith(key)).toBe(403);
    expect(await run(`account enable-agents ${email}`)).toContain('agents enabled');
    expect(await statusWith(key)).toBe(200);
    expect(await statusWith(session.body.token)).toBe(200);
    expect(await run(`account disable-agents ${email}`)).toContain('agents disabled');
    expect(await statusWith(key)).toBe(403);
    const [keyId = ''] = (await run(`key list ${email}`)).split(' ');
    await run(`key revoke ${email} ${keyId}`);
    expect(await statusWith(key)).toBe(401);
    expect(await run('account list')).toMatch(/ada@example\.test.*\n?/);
    expect(await run('account list')).toContain('local');
  });

  it('makes an operator, who sees all accounts, and ends that at once', async () => {
    await run('account create op@example.test', { enableAgents: true });
    const key = /roost_sk_\w+/.exec(await run('key create op@example.test', { name: 'op' }))?.[0] ?? '';
    const listed = async () =>
      (await roost.api('GET', '/v1/admin/accounts', undefined, { authorization: `Bearer ${key}` })).status;
    expect(await listed()).toBe(403);
    expect(await run('account make-operator op@example.test')).toContain('operator');
    expect(await listed()).toBe(200);
    expect(await run('account remove-operator op@example.test')).not.toContain('operator');
    expect(await listed()).toBe(403);
  });

  it('links a subject of a trusted issuer to a user, and to one alone', async () => {
    for (const name of ['one', 'two']) await run(`account create ${name}@example.test`);
    const link = (email: string) => run(`account link ${email} https://idp.example subject-1`);
    expect(await link('one@example.test')).toContain('one@example.test');
    expect(await link('one@example.test')).toContain('one@example.test');
    await expect(link('two@example.test')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(link('nobody@example.test')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(run('account link one@example.test https://idp.example')).rejects.toThrow(/subject/);
  });

  it('deletes an account permanently, when it is meant', async () => {
    await run('account create leaver@example.test');
    const key = /roost_sk_\w+/.exec(await run('key create leaver@example.test', { name: 'ci' }))?.[0] ?? '';
    await expect(run('account delete leaver@example.test')).rejects.toThrow(/--yes/);
    expect(await run('account delete leaver@example.test', { yes: true })).toContain('is deleted');
    expect(await statusWith(key)).toBe(401);
    await expect(run('account delete leaver@example.test', { yes: true })).rejects.toThrow(/no account/);
  });

  it.each([
    ['account create not-an-email', /not an email/],
    ['account create ada@example.test', /already/],
    ['account enable-agents nobody@example.test', /no account/],
    ['account enable-agents', /needs an account/],
    ['account explode x', /no command/],
    ['key revoke local nonsense', /key id/],
  ])('says what is wrong with "%s"', async (line, message) => {
    await expect(run(line)).rejects.toThrow(message);
  });

  it('replaces the master key and keeps the one before, readable by its owner alone', () => {
    const file = (name: string) => readFileSync(join(roost.dataDir, name), 'utf8').trim();
    const first = file('master-key');
    rotateMasterKey(roost.dataDir);
    const second = file('master-key');
    rotateMasterKey(roost.dataDir);
    expect(file('previous-master-keys').split(',')).toEqual([second, first]);
    expect(() => rotateMasterKey(join(roost.dataDir, 'nowhere'))).toThrow(/no master key/);
  });
});
