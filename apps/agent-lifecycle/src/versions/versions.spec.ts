import {
  diffVersions,
  draftVersion,
  getAgentForTurn,
  getVersion,
  listVersions,
  rollBack,
  setAgentStatus,
  updateAgent,
} from '#lib/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

const CANARY = `canary-${randomUUID()}`;
let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const change = (agentId: string, fields: object) => service.ask(updateAgent, { agent_id: agentId, ...fields });
const versions = (agentId: string) => service.ask(listVersions, { agent_id: agentId });
const version = (agentId: string, number: number) => service.ask(getVersion, { agent_id: agentId, version: number });
const back = (agentId: string, number: number, more = {}) =>
  service.ask(rollBack, { agent_id: agentId, version: number, ...more });
const envOf = async (agentId: string) =>
  (await service.ask(getAgentForTurn, { agent_id: agentId })).configuration.customEnv;

describe('the versions of a configuration', () => {
  it('begin with what the agent was made with, and gain one by each change, with its note', async () => {
    const { id, version: made } = await service.agent({ name: 'ann', system_prompt: 'Be brief.' });
    expect(made).toBe(1);
    const changed = await change(id, { system_prompt: 'Be polite.', note: 'people complained' });
    expect(changed.version).toBe(2);
    expect(await versions(id)).toMatchObject({
      versions: [
        { version: 2, isCurrent: true, note: 'people complained', changed: ['system_prompt'] },
        { version: 1, isCurrent: false, note: null, changed: [] },
      ],
      hasMore: false,
    });
    expect((await version(id, 1)).settings).toMatchObject({ name: 'ann', systemPrompt: 'Be brief.' });
    expect((await version(id, 2)).settings).toMatchObject({ name: 'ann', systemPrompt: 'Be polite.' });
  });

  it('gain none by what configures nothing: the same values again, balance, status', async () => {
    const { id } = await service.agent({ name: 'ann' });
    await change(id, { name: 'ann', output_token_balance: 5 });
    await service.ask(setAgentStatus, { agent_id: id, status: 'paused' });
    expect((await versions(id)).versions).toHaveLength(1);
  });

  it('hold no value of a secret, but in which version it was set', async () => {
    const { id, uuid } = await service.agent({
      provider_keys: { openai: CANARY },
      configuration: {
        custom_env: { TOKEN: CANARY, MODE: 'a' },
        mcp_servers: { far: { url: 'https://mcp.example.org/', headers: { authorization: CANARY } } },
      },
    });
    await change(id, { configuration: { custom_env: { TOKEN: '***', MODE: CANARY + 2 } } });
    const whole = await version(id, 2);
    expect(whole.settings.configuration.customEnv).toEqual({ TOKEN: '***', MODE: '***' });
    expect(whole.secrets).toEqual(
      expect.arrayContaining([
        { field: 'configuration.custom_env.TOKEN', setIn: 1 },
        { field: 'configuration.custom_env.MODE', setIn: 2 },
        { field: 'configuration.mcp_servers.far.headers.authorization', setIn: 1 },
        { field: 'provider_keys.openai', setIn: 1 },
      ]),
    );
    const rows = await service.rows.query(`SELECT * FROM agent_versions WHERE agent_id = $1`, [uuid]);
    expect(JSON.stringify(rows)).not.toContain(CANARY);
    const { changes } = await service.ask(diffVersions, { agent_id: id, from: 1, to: 2 });
    expect(changes).toMatchObject([{ field: 'configuration.custom_env.MODE', secret: { from: 1, to: 2 } }]);
    expect(await service.ask(diffVersions, { agent_id: id })).toEqual({ from: 1, to: 2, changes });
  });

  it('are listed in pages, newest first', async () => {
    const { id } = await service.agent();
    for (const name of ['b', 'c', 'd']) await change(id, { name });
    const first = await service.ask(listVersions, { agent_id: id, limit: 3 });
    expect(first).toMatchObject({ versions: [{ version: 4 }, { version: 3 }, { version: 2 }], hasMore: true });
    const rest = await service.ask(listVersions, { agent_id: id, limit: 3, before: 2 });
    expect(rest).toMatchObject({ versions: [{ version: 1 }], hasMore: false });
  });

  it('lose none of two changes that were made of the same version', async () => {
    const { id, version: read } = await service.agent({ name: 'ann' });
    const both = await Promise.allSettled([
      change(id, { name: 'bea', if_version: read }),
      change(id, { description: 'kind', if_version: read }),
    ]);
    const refused = both.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toMatchObject([{ code: 'CONFLICT', details: [{ reason: 'version_changed', version: 2 }] }]);
  });

  it('are those of the account alone', async () => {
    const { id } = await service.agent();
    const asked = { agent_id: id };
    const stranger = randomUUID();
    await expect(service.ask(listVersions, asked, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.ask(getVersion, { ...asked, version: 1 }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(service.ask(rollBack, { ...asked, version: 1 }, stranger)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('of an agent that was there before begin with what it had, also when an older service changed it since', async () => {
    const { id } = await service.agent({ name: 'ann' });
    await service.rows.query(`DELETE FROM agent_versions WHERE agent_id = $1`, [id]);
    expect(await versions(id)).toMatchObject({ versions: [{ version: 1, createdBy: null }] });
    await service.rows.query(`UPDATE agents SET name = 'bea' WHERE id = $1`, [id]);
    expect((await change(id, { name: 'cat' })).version).toBe(3);
    expect((await version(id, 2)).settings.name).toBe('bea');
    expect(await versions(id)).toMatchObject({
      versions: [{ version: 3 }, { version: 2, createdBy: null, changed: ['name'] }, { version: 1 }],
    });
  });

  it('are named by what a turn is given', async () => {
    const { id } = await service.agent();
    await change(id, { name: 'bea' });
    expect((await service.ask(getAgentForTurn, { agent_id: id })).version).toBe(2);
  });
});

describe('a draft', () => {
  const draft = (agentId: string, fields: object) => service.ask(draftVersion, { agent_id: agentId, ...fields });
  const forTurn = (agentId: string, number: number) =>
    service.ask(getAgentForTurn, { agent_id: agentId, version: number });

  it('is a version that the agent does not have, and turns that ask for it run with', async () => {
    const { id } = await service.agent({ system_prompt: 'Be brief.', configuration: { timeout_seconds: 600 } });
    const made = await draft(id, { system_prompt: 'Rhyme.', configuration: { model: 'demo' }, note: 'a trial' });
    expect(made).toMatchObject({ version: 2, isDraft: true, isCurrent: false, note: 'a trial' });
    expect(made.changed).toEqual(['configuration.model', 'system_prompt']);
    const expected = { version: 2, systemPrompt: 'Rhyme.', configuration: { model: 'demo', timeoutSeconds: 600 } };
    expect(await forTurn(id, 2)).toMatchObject(expected);
    expect(await service.ask(getAgentForTurn, { agent_id: id })).toMatchObject({
      version: 1,
      systemPrompt: 'Be brief.',
    });
    const [newest] = (await versions(id)).versions;
    expect(newest).toMatchObject({ version: 2, isDraft: true, isCurrent: false });
    expect((await service.ask(diffVersions, { agent_id: id, to: 2 })).changes).toHaveLength(2);
    await expect(forTurn(id, 9)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('takes a number of its own, and is published by a roll back to it', async () => {
    const { id } = await service.agent({ name: 'ann', description: 'first' });
    await draft(id, { description: 'a trial' });
    expect((await change(id, { name: 'bea' })).version).toBe(3);
    expect(await service.ask(diffVersions, { agent_id: id })).toMatchObject({
      from: 1,
      to: 3,
      changes: [{ field: 'name' }],
    });
    const published = await back(id, 2);
    expect(published).toMatchObject({ version: 4, agent: { name: 'ann', description: 'a trial' } });
    expect((await versions(id)).versions[0]).toMatchObject({
      note: 'publish draft 2',
      isDraft: false,
      isCurrent: true,
    });
  });

  it('runs with the secrets of now, and holds no new ones', async () => {
    const { id } = await service.agent({ configuration: { custom_env: { TOKEN: CANARY } } });
    const known = { custom_env: { TOKEN: '***' } };
    await draft(id, { system_prompt: 'Rhyme.', configuration: known });
    await change(id, { configuration: { custom_env: { TOKEN: 'new' } } });
    expect((await forTurn(id, 2)).configuration.customEnv).toEqual({ TOKEN: 'new' });
    for (const custom_env of [{ TOKEN: 'other' }, { TOKEN: '***', MORE: 'x' }])
      await expect(draft(id, { configuration: { custom_env } })).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
        details: [{ reason: 'new_secret' }],
      });
    const rows = await service.rows.query(`SELECT * FROM agent_versions WHERE agent_id = $1`, [id]);
    expect(JSON.stringify(rows)).not.toContain(CANARY);
  });

  it('is refused as a change would be, and goes when there are many newer ones, the present version never', async () => {
    const { id } = await service.agent();
    await expect(draft(id, { configuration: { timeout_seconds: 86_401 } })).rejects.toThrow();
    for (let n = 0; n < 52; n++) await draft(id, { description: `trial ${n}` });
    const kept = (await service.ask(listVersions, { agent_id: id, limit: 100 })).versions;
    expect(kept.filter(({ isDraft }) => isDraft)).toHaveLength(50);
    expect(kept.at(-1)).toMatchObject({ version: 1, isCurrent: true });
  });
});

describe('a roll back', () => {
  it('gives the settings of then as a new version, and takes away what was added since', async () => {
    const { id } = await service.agent({ name: 'ann', configuration: { timeout_seconds: 600 } });
    await change(id, {
      name: 'bea',
      configuration: { timeout_seconds: 700, resources: { cpu: '250m' } },
    });
    const done = await back(id, 1);
    expect(done).toMatchObject({ version: 3, notRestored: [], agent: { name: 'ann', version: 3 } });
    expect(done.agent.configuration).toEqual({ timeoutSeconds: 600 });
    expect((await service.ask(diffVersions, { agent_id: id, from: 1, to: 3 })).changes).toEqual([]);
    expect((await versions(id)).versions[0]).toMatchObject({ note: 'roll back to version 1', isCurrent: true });
  });

  it('keeps secrets that are still the same, and names those that it could not bring back', async () => {
    const { id } = await service.agent({ configuration: { custom_env: { SAME: 'a', OTHER: 'b', GONE: 'c' } } });
    await change(id, { configuration: { custom_env: { SAME: '***', OTHER: 'b2', NEW: 'd' } }, name: 'bea' });
    const done = await back(id, 1);
    expect(done.notRestored).toEqual([
      { field: 'configuration.custom_env.OTHER', reason: 'secret_changed' },
      { field: 'configuration.custom_env.GONE', reason: 'secret_removed' },
    ]);
    expect(await envOf(id)).toEqual({ SAME: 'a', OTHER: 'b2' });
  });

  it('leaves keys, bots, balance and the size of the volume alone', async () => {
    const { id } = await service.agent({ pvc_size: '1Gi' });
    await change(id, { pvc_size: '2Gi', provider_keys: { openai: 'sk-a' }, output_token_balance: 7 });
    const done = await back(id, 1);
    expect(done.notRestored).toEqual([{ field: 'pvc_size', reason: 'cannot_shrink' }]);
    expect(done.agent).toMatchObject({ pvcSize: '2Gi', outputTokenBalance: 7 });
    expect((await service.ask(getAgentForTurn, { agent_id: id })).providerKeys).toEqual({ openai: 'sk-a' });
  });

  it('to what the agent has already changes nothing', async () => {
    const { id } = await service.agent();
    expect(await back(id, 1)).toMatchObject({ version: 1, notRestored: [] });
    expect((await versions(id)).versions).toHaveLength(1);
  });

  it('is refused for a version that there is not, and of another version than the one it was decided for', async () => {
    const { id } = await service.agent();
    await expect(back(id, 9)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await change(id, { name: 'bea' });
    await expect(back(id, 1, { if_version: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is refused to settings that are not allowed any more', async () => {
    const { id } = await service.agent({ configuration: { timeout_seconds: 3_000 } });
    await change(id, { configuration: { timeout_seconds: 60 } });
    await service.restart({ ROOST_MAX_TURN_SECONDS: '600' });
    await expect(back(id, 1)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await service.restart();
  });
});
