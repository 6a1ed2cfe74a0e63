import { randomBytes, randomUUID } from 'node:crypto';
import {
  deleteAccountProviderKey,
  getAgentForTurn,
  listAccountProviderKeys,
  openAccountProviderKeys,
  setAccountProviderKey,
} from '#lib/contracts';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const keysOf = async (agentId: string) =>
  (await service.ask(getAgentForTurn, { agent_id: agentId }, null)).providerKeys;

describe('the provider keys of an account', () => {
  it('are what its agents use that have none of their own, from the next turn', async () => {
    const [plain, own] = [await service.agent(), await service.agent({ provider_keys: { openai: 'agent-openai' } })];
    await service.ask(setAccountProviderKey, { provider: 'openai', api_key: 'account-openai' });
    await service.ask(setAccountProviderKey, { provider: 'anthropic', api_key: 'first' });
    await service.ask(setAccountProviderKey, { provider: 'anthropic', api_key: 'second' });
    expect(await keysOf(plain.id)).toEqual({ openai: 'account-openai', anthropic: 'second' });
    expect(await keysOf(own.id)).toEqual({ openai: 'agent-openai', anthropic: 'second' });
    const turn = await service.ask(getAgentForTurn, { agent_id: own.id }, null);
    expect(turn.providerKeyOwners).toEqual({ openai: 'agent', anthropic: 'account' });
    await expect(service.ask(openAccountProviderKeys, { account_id: service.account }, null)).resolves.toEqual({
      providerKeys: { openai: 'account-openai', anthropic: 'second' },
    });
    await expect(service.ask(openAccountProviderKeys, { account_id: service.account })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    await service.ask(deleteAccountProviderKey, { provider: 'anthropic' });
    expect(await keysOf(own.id)).toEqual({ openai: 'agent-openai' });
    await expect(service.ask(deleteAccountProviderKey, { provider: 'anthropic' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('are shown to nobody, sealed in the database and of one account alone', async () => {
    const canary = `canary-${randomUUID()}`;
    const shown = await service.ask(setAccountProviderKey, { provider: 'google', api_key: canary });
    const list = await service.ask(listAccountProviderKeys, {});
    expect(JSON.stringify([shown, list])).not.toContain(canary);
    expect(list.providerKeys).toContainEqual(shown);
    const stored = await service.rows.query(`SELECT * FROM account_provider_keys`);
    expect(JSON.stringify(stored)).not.toContain(canary);
    const stranger = randomUUID();
    await expect(service.ask(listAccountProviderKeys, {}, stranger)).resolves.toEqual({ providerKeys: [] });
    const theirs = await service.agent({}, stranger);
    expect(await keysOf(theirs.id)).toEqual({});
  });

  it('survive a change of the master key, after which the old one is not needed', async () => {
    const { id } = await service.agent();
    const before = await keysOf(id);
    const next = randomBytes(32).toString('base64');
    const sealedUnder = async () => {
      const rows = await service.rows.query<{ key: string }>(
        `SELECT DISTINCT split_part(sealed_key, '.', 2) AS key FROM account_provider_keys`,
      );
      return rows.map(({ key }) => key);
    };
    const old = await sealedUnder();
    await service.restart({ ROOST_MASTER_KEY: next, ROOST_PREVIOUS_MASTER_KEYS: service.masterKey });
    await until('all are sealed under the new key', async () => !(await sealedUnder()).includes(old[0] ?? ''));
    await service.restart({ ROOST_MASTER_KEY: next });
    expect(await keysOf(id)).toEqual(before);
  });
});
