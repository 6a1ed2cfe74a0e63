import {
  createVaultGrant,
  createVaultSecret,
  deleteAgent,
  deleteVaultGrant,
  deleteVaultSecret,
  getVaultSecret,
  listVaultGrants,
  listVaultSecrets,
  updateVaultSecret,
} from '#lib/contracts';
import { randomBytes, randomUUID } from 'node:crypto';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const bearer = (token = 'a-bearer-token') => ({ kind: 'bearer' as const, token });
let count = 0;
const secretFor = (input: object, account = service.account) =>
  service.ask(
    createVaultSecret,
    { name: `s${(count += 1)}`, hosts: ['api.example.com'], credential: bearer(), ...input },
    account,
  );
const grantOf = (agentId: string, secretId: string, envName: string | null = null) =>
  service.ask(createVaultGrant, { agent_id: agentId, secret_id: secretId, env_name: envName });

describe('a secret of the vault', () => {
  it('is shown to nobody, sealed in the database, and rotated in place', async () => {
    const canary = `canary-${randomUUID()}`;
    const credential = { kind: 'basic' as const, username: 'ada', password: canary };
    const made = await secretFor({ name: 'git', credential });
    expect(made).toMatchObject({
      kind: 'basic',
      settings: { username: 'ada' },
      placements: ['headers'],
      grantCount: 0,
    });
    const password = `canary-${randomUUID()}`;
    const changed = await service.ask(updateVaultSecret, {
      secret_id: made.id,
      credential: { ...credential, password },
    });
    expect(changed.rotatedAt.getTime()).toBeGreaterThan(made.rotatedAt.getTime());
    const described = await service.ask(updateVaultSecret, { secret_id: made.id, description: 'of the bot' });
    expect(described).toMatchObject({ rotatedAt: changed.rotatedAt, description: 'of the bot' });
    const shown = [
      made,
      changed,
      await service.ask(listVaultSecrets, {}),
      await service.ask(getVaultSecret, { secret_id: made.id }),
    ];
    const stored = await service.rows.query(`SELECT * FROM vault_secrets`);
    expect(JSON.stringify([shown, stored])).not.toMatch(new RegExp(`${canary}|${password}`));
    await expect(secretFor({ name: 'git' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it.each([
    [{ hosts: ['*.github.io'] }, 'stands for hosts of anybody'],
    [{ hosts: ['*.co.uk'] }, 'stands for hosts of anybody'],
    // By wildcards of the suffix list: each name below is a suffix itself, or of a stranger.
    [{ hosts: ['*.compute.amazonaws.com'] }, 'stands for hosts of anybody'],
    [{ hosts: ['*.kawasaki.jp'] }, 'stands for hosts of anybody'],
    [{ hosts: ['*.ck'] }, 'stands for hosts of anybody'],
    [{ hosts: ['*.localhost'] }, 'stands for hosts of anybody'],
    [{ hosts: ['com'] }, 'is a public suffix'],
    [{ hosts: ['10.0.0.1'] }, 'is an address'],
    [{ hosts: ['0x7f.1'] }, 'is an address'],
    [{ hosts: ['https://example.com'] }, 'is no host'],
    [{ hosts: ['a.*.example.com'] }, 'is no host'],
    [{ hosts: ['example.com:22'] }, 'has a port'],
    [{ methods: ['CONNECT'] }, 'carries no secret'],
    [{ path_prefixes: ['/a/../b'] }, 'is no path'],
    [{ path_prefixes: ['/a?b=c'] }, 'is no path'],
    [{ path_prefixes: ['/%2e%2e/b'] }, 'is no path'],
    [
      { credential: { kind: 'oauth2', token_url: 'https://127.0.0.1/x', client_id: 'c', client_secret: 'a secret' } },
      'loopback',
    ],
    [{ credential: { kind: 'oauth2', token_url: 'https://a.example', client_id: 'c' } }, 'needs a refresh_token'],
    [
      { credential: { kind: 'github_app', app_id: '1', installation_id: '2', private_key: 'x'.repeat(200) } },
      'is no private key',
    ],
  ])('is refused with %j', async (input, reason) => {
    await expect(secretFor(input)).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining(reason) as unknown,
    });
  });

  it.each([
    [['API.Example.com:443', 'api.example.com'], ['api.example.com']],
    [['*.bücher.example'], ['*.xn--bcher-kva.example']],
    [
      ['localhost:8443', 'github.io'],
      ['localhost:8443', 'github.io'],
    ],
  ])('keeps hosts %j in one form', async (hosts, kept) => {
    expect((await secretFor({ hosts })).hosts).toEqual(kept);
  });

  it('is of one account alone', async () => {
    const stranger = randomUUID();
    const mine = await secretFor({});
    for (const asked of [
      service.ask(getVaultSecret, { secret_id: mine.id }, stranger),
      service.ask(updateVaultSecret, { secret_id: mine.id, hosts: ['evil.example'] }, stranger),
      service.ask(deleteVaultSecret, { secret_id: mine.id }, stranger),
    ])
      await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const theirs = await service.agent({}, stranger);
    await expect(grantOf(theirs.id, mine.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      service.ask(createVaultGrant, { agent_id: theirs.id, secret_id: mine.id }, stranger),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await service.ask(listVaultSecrets, {}, stranger)).secrets).toEqual([]);
  });
});

describe('grants', () => {
  it('give an agent a placeholder of its own, and go with secret and agent', async () => {
    const [agent, other] = [await service.agent(), await service.agent()];
    const secret = await secretFor({});
    const grant = await grantOf(agent.id, secret.id, 'TOKEN');
    await grantOf(other.id, secret.id, 'TOKEN');
    expect(grant).toMatchObject({ secret: secret.name, envName: 'TOKEN', useCount: 0, lastUsedAt: null });
    expect(JSON.stringify(grant)).not.toContain('roost-placeholder');
    const rows = await service.rows.query<{ placeholder: string }>(
      `SELECT placeholder FROM vault_grants WHERE secret_id = $1`,
      [secret.id],
    );
    expect(new Set(rows.map(({ placeholder }) => placeholder)).size).toBe(2);
    for (const { placeholder } of rows) expect(placeholder).toMatch(/^roost-placeholder-[A-Za-z0-9]{32}$/);
    await expect(grantOf(agent.id, secret.id, 'OTHER')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(grantOf(agent.id, (await secretFor({})).id, 'TOKEN')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(grantOf(agent.id, (await secretFor({})).id, 'PATH')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await service.ask(deleteAgent, { agent_id: other.id });
    expect((await service.ask(getVaultSecret, { secret_id: secret.id })).grantCount).toBe(1);
    await service.ask(deleteVaultSecret, { secret_id: secret.id });
    expect((await service.ask(listVaultGrants, { agent_id: agent.id })).grants).toEqual([]);
    await expect(service.ask(deleteVaultGrant, { agent_id: agent.id, grant_id: grant.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it.each([
    [{}, {}, true],
    [{ hosts: ['*.example.com'] }, {}, true],
    [{ hosts: ['*.example.com'] }, { hosts: ['a.b.example.com'] }, false],
    [{ hosts: ['api.example.com:8443'] }, {}, false],
    [{ methods: ['GET'] }, { methods: ['POST'] }, false],
    [{ path_prefixes: ['/acme'] }, { path_prefixes: ['/acme/x'] }, true],
    [{ path_prefixes: ['/acme'] }, { path_prefixes: ['/acme2'] }, false],
    [{}, { credential: { kind: 'header', name: 'X-Api-Key', value: 'the-value' } }, false],
    [{}, { credential: { kind: 'header', name: 'Authorization', value: 'the-value' } }, true],
  ])('without placeholders: %j and %j go to the same place: %s', async (one, other, isRefused) => {
    const agent = await service.agent();
    const [first, second] = [await secretFor(one), await secretFor(other)];
    await grantOf(agent.id, first.id);
    const granted = grantOf(agent.id, second.id);
    if (isRefused) await expect(granted).rejects.toMatchObject({ code: 'CONFLICT' });
    else await granted;
    // With a placeholder it is the agent that says which is meant.
    if (isRefused) await grantOf(agent.id, second.id, 'SECOND');
  });

  it('are compared when a secret changes, too', async () => {
    const agent = await service.agent();
    const [first, second] = [await secretFor({}), await secretFor({ hosts: ['other.example.com'] })];
    await grantOf(agent.id, first.id);
    await grantOf(agent.id, second.id);
    const wider = { secret_id: second.id, hosts: ['*.example.com'] };
    await expect(service.ask(updateVaultSecret, wider)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await service.ask(getVaultSecret, { secret_id: second.id })).hosts).toEqual(['other.example.com']);
  });
});

it('secrets survive a change of the master key', async () => {
  await secretFor({});
  const next = randomBytes(32).toString('base64');
  const keys = async () => {
    const rows = await service.rows.query<{ key: string }>(
      `SELECT DISTINCT split_part(sealed_value, '.', 2) AS key FROM vault_secrets`,
    );
    return rows.map(({ key }) => key);
  };
  const [old = ''] = await keys();
  await service.restart({ ROOST_MASTER_KEY: next, ROOST_PREVIOUS_MASTER_KEYS: service.masterKey });
  await until('all are sealed under the new key', async () => !(await keys()).includes(old));
});
