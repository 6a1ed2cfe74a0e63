import { agentDeleted } from '#lib/contracts';
import { Database } from '#lib/database';
import { createLogger } from '#lib/observability';
import { MisbehavingProvider, publishEvent, until } from '#lib/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import { AgentRemoval } from './agent-removal.js';

const WRITTEN = ['transcript', 'sessions', 'attempts', 'unfinished_turns'] as const;

describe('a deleted agent', () => {
  let provider: MisbehavingProvider;
  let runtime: RuntimeFixture;
  let database: Database;
  let removal: AgentRemoval;

  beforeAll(async () => {
    provider = await MisbehavingProvider.start();
    runtime = await startRuntime({
      ...provider.env('openai-chat', 'sk-0123456789'),
      ROOST_DEFAULT_MODEL: 'openai/gpt-misbehaving',
    });
    runtime.workspace.start();
    database = await Database.open({ url: runtime.database.url, schema: 'runtime', migrations: [], poolSize: 2 });
    removal = new AgentRemoval(database, createLogger('test', { ROOST_LOG_LEVEL: 'silent' }));
  });
  afterAll(async () => {
    await database.close();
    await runtime.stop();
    await provider.stop();
  });
  beforeEach(async () => {
    for (const table of WRITTEN) await database.query(`DELETE FROM ${table}`);
    await database.query(`DELETE FROM deleted_agents`);
  });

  /** Tables that have rows of the agent. */
  async function tablesOf(agentId: string): Promise<string[]> {
    const found = await Promise.all(
      WRITTEN.map(async (table) => {
        const rows = await database.query(`SELECT 1 FROM ${table} WHERE agent_id = $1 LIMIT 1`, [agentId]);
        return rows.length > 0 ? [table] : [];
      }),
    );
    return found.flat();
  }

  const deletedAgents = async () =>
    (await database.query<{ agent_id: string }>(`SELECT agent_id FROM deleted_agents`)).map((row) => row.agent_id);

  /** As lifecycle does it, in the middle of a turn of the agent. */
  async function deleteWithin(turn: string): Promise<string> {
    const { agentId, accountId } = runtime.platform;
    provider.script(
      turn,
      { answer: { calls: [{ name: 'bash', args: { command: turn } }] } },
      { answer: { text: 'Done.' } },
    );
    runtime.workspace.onCommand = async () => {
      await until('the open call is written', async () => (await tablesOf(agentId)).includes('unfinished_turns'));
      await publishEvent(runtime.connection, agentDeleted, { agentId, accountId, revision: 2 });
      await until('its rows are deleted', async () => (await tablesOf(agentId)).length === 0);
      return { stdout: 'a secret of the owner', exitCode: 0 };
    };
    await runtime.platform.send(`@${turn}`).outcome;
    return agentId;
  }

  it('keeps nothing of what a turn writes that was under way', async () => {
    const agentId = await deleteWithin('late');
    expect(await tablesOf(agentId)).toEqual(expect.arrayContaining(['transcript', 'sessions', 'attempts']));
    await removal.removeLateRows();
    expect(await tablesOf(agentId)).toEqual([]);
  });

  it('is looked at again for an hour, and others are left alone', async () => {
    const agentId = await deleteWithin('hour');
    await removal.removeLateRows();
    expect(await deletedAgents()).toEqual([agentId]);

    runtime.workspace.onCommand = () => ({ stdout: 'ok', exitCode: 0 });
    const keeper = runtime.platform.addAgent({});
    provider.script('keeper', { answer: { text: 'Here.' } });
    provider.script('later', { answer: { text: 'Late.' } });
    await runtime.platform.send('@keeper', { agentId: keeper }).outcome;
    await runtime.platform.send('@later').outcome;
    await database.query(`UPDATE deleted_agents SET deleted_at = now() - interval '2 hours'`);
    await removal.removeLateRows();
    expect(await tablesOf(agentId)).toEqual([]);
    expect(await deletedAgents()).toEqual([]);
    expect(await tablesOf(keeper)).toEqual(['transcript', 'sessions', 'attempts']);
  });

  it('is looked at among however many', async () => {
    const agentId = await deleteWithin('many');
    await database.query(`INSERT INTO deleted_agents (agent_id) SELECT gen_random_uuid() FROM generate_series(1, 250)`);
    await removal.removeLateRows();
    expect(await tablesOf(agentId)).toEqual([]);
    expect(await deletedAgents()).toHaveLength(251);
  });
});
