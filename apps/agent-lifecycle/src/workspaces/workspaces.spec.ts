import { randomUUID } from 'node:crypto';
import { ownCall } from '#lib/call-context';
import {
  deleteAgent,
  ensureWorkspace,
  execCommand,
  getAgent,
  checkAgentReady,
  pingWorkspace,
  readFile,
  setAgentStatus,
  stopAgent,
  updateAgent,
  healthCheck,
} from '#lib/contracts';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService();
});
afterAll(() => service.stop());

const call = () => ownCall(`req_${randomUUID()}`, 30_000);
const boot = (agentId: string) => service.bus.request(pingWorkspace, { agentId }, call()).then(({ bootId }) => bootId);
const isAwake = (agentId: string) =>
  boot(agentId).then(
    () => true,
    () => false,
  );
const read = (agentId: string, path: string) =>
  service.bus.request(readFile, { agentId, path, encoding: 'utf-8' }, call()).then(({ content }) => content);
const run = (agentId: string, command: string) =>
  service.bus.request(
    execCommand,
    { agentId, execId: randomUUID(), command, timeoutMs: 20_000, maxOutputBytes: 30_000 },
    call(),
  );
const ensure = (agentId: string) => service.ask(ensureWorkspace, { agent_id: agentId }, null);

describe('the workspace of an agent', () => {
  it('is made once by many calls at once, sleeps when the agent is stopped, and its files survive', async () => {
    const { id } = await service.agent({ configuration: { custom_env: { MOOD: 'calm' } } });
    await expect(service.ask(checkAgentReady, { agent_id: id })).resolves.toMatchObject({ workspace: 'asleep' });
    await Promise.all(Array.from({ length: 5 }, () => ensure(id)));
    const first = await boot(id);
    await ensure(id);
    expect(await boot(id)).toBe(first);
    await expect(run(id, 'echo $MOOD > mood.txt; cat mood.txt')).resolves.toMatchObject({ stdout: 'calm\n' });
    await service.ask(stopAgent, { agent_id: id });
    await until('the workspace sleeps', async () => !(await isAwake(id)));
    await expect(ensure(id)).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await service.ask(setAgentStatus, { agent_id: id, status: 'paused' });
    await until('the paused agent has its files at hand', () => isAwake(id));
    expect(await read(id, 'mood.txt')).toBe('calm\n');
  });

  it('holds the initial files, small and large, and reports how full it is', async () => {
    const large = 'y'.repeat(2 ** 20);
    const { id } = await service.agent({
      initial_files: [
        { path: '/workspace/notes/./a.txt', content: 'the last of one place counts' },
        { path: 'notes/a.txt', content: 'hello' },
        { path: '/workspace/b.bin', content: Buffer.from('bytes').toString('base64'), encoding: 'base64' },
        { path: 'large.txt', content: large },
      ],
    });
    await until('the files are written', async () => {
      const [row] = await service.rows.query(`SELECT 1 FROM pending_files WHERE agent_id = $1`, [id]);
      return row === undefined;
    });
    expect(await read(id, 'notes/a.txt')).toBe('hello');
    expect(await read(id, 'b.bin')).toBe('bytes');
    await expect(run(id, 'wc -c < large.txt')).resolves.toMatchObject({ stdout: `${large.length}\n` });
    const { filesystemSummary } = await service.ask(getAgent, { agent_id: id });
    expect(filesystemSummary).toMatchObject({ totalFiles: 3 });
  });

  it('leaves an initial file as it was changed since, when it waits again as after a kill', async () => {
    const { id } = await service.agent({ initial_files: [{ path: 'kept.md', content: 'initial' }] });
    await ensure(id);
    await run(id, 'echo -n changed > kept.md');
    await service.rows.query(
      `INSERT INTO pending_files (agent_id, position, path, content) VALUES ($1, 0, 'kept.md', 'initial'), ($1, 1, 'more.md', 'more')`,
      [id],
    );
    await until('none waits any more', async () => {
      const [row] = await service.rows.query(`SELECT 1 FROM pending_files WHERE agent_id = $1`, [id]);
      return row === undefined;
    });
    expect(await read(id, 'kept.md')).toBe('changed');
    expect(await read(id, 'more.md')).toBe('more');
  });

  it('takes all file operations of an update or none', async () => {
    const { id } = await service.agent();
    const update = (files: object[], more: object = {}) =>
      service.ask(updateAgent, { agent_id: id, files: files as never, ...more });
    await update([
      { operation: 'create', path: 'a', content: '1' },
      { operation: 'create', path: 'b', content: '1' },
    ]);
    await expect(
      update([
        { operation: 'update', path: 'a', content: '2' },
        { operation: 'delete', path: 'b' },
        { operation: 'create', path: 'c', content: '2' },
        { operation: 'delete', path: 'absent' },
      ]),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      update([{ operation: 'update', path: 'a', content: '3' }], { pvc_size: '100Mi' }),
    ).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    expect([await read(id, 'a'), await read(id, 'b')]).toEqual(['1', '1']);
    await expect(read(id, 'c')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(update([{ operation: 'create', path: 'a', content: 'x' }])).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it('is restarted when its daemon dies', async () => {
    const { id } = await service.agent();
    await ensure(id);
    const first = await boot(id);
    // Nobody answers any more, so nobody waits.
    void run(id, 'kill -9 -1').catch(() => undefined);
    await until('another daemon answers', async () => (await boot(id).catch(() => first)) !== first);
  });

  it('sleeps after the warmth window and wakes on demand', async () => {
    const { id } = await service.agent();
    // The API takes five minutes at least.
    await service.rows.query(`UPDATE agents SET warmth_window_ms = 500 WHERE id = $1`, [id]);
    await ensure(id);
    await until('the idle workspace sleeps', async () => !(await isAwake(id)));
    await ensure(id);
    expect(await isAwake(id)).toBe(true);
  });

  it('sleeps when no row knows its agent', async () => {
    const { id } = await service.agent();
    await ensure(id);
    await service.rows.query(`DELETE FROM agents WHERE id = $1`, [id]);
    await until('the orphan sleeps', async () => !(await isAwake(id)));
  });

  it('goes with its volume when the agent is deleted', async () => {
    const { id } = await service.agent();
    await ensure(id);
    await service.ask(deleteAgent, { agent_id: id });
    await until('the volume is gone', async () => {
      const [row] = await service.rows.query(
        `SELECT 1 FROM deleted_agents WHERE agent_id = $1 AND volume_removed_at IS NOT NULL`,
        [id],
      );
      return row !== undefined;
    });
    expect(await isAwake(id)).toBe(false);
  });
});

describe('without a sandbox to be had', () => {
  it('an agent goes to error with the reason, and a new try is one request away', async () => {
    const { id } = await service.agent();
    await service.restart({ ROOST_BWRAP: '' });
    await expect(ensure(id)).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await expect(service.ask(getAgent, { agent_id: id })).resolves.toMatchObject({
      status: 'error',
      statusReason: expect.stringContaining('bubblewrap'),
    });
    const events = await service.rows.query(
      `SELECT 1 FROM outbox WHERE key = $1 AND payload->>'code' = 'WORKSPACE_FAILED'`,
      [id],
    );
    expect(events).toHaveLength(1);
    await service.restart();
    await service.ask(setAgentStatus, { agent_id: id, status: 'active' });
    await ensure(id);
    expect(await isAwake(id)).toBe(true);
  });

  it('an agent gets no other sandbox than the wanted one', async () => {
    await service.restart({ ROOST_LOCAL_RUNTIME: 'runsc', ROOST_RUNSC: '/nowhere/runsc' });
    const { id } = await service.agent();
    await expect(ensure(id)).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await expect(service.ask(getAgent, { agent_id: id })).resolves.toMatchObject({
      status: 'error',
      statusReason: expect.stringMatching(/^runsc .*Nothing runs without a sandbox/),
    });
    expect((await service.ask(healthCheck('agent-lifecycle'), {})).details).toMatchObject({ runtime: 'none' });
  });

  it('an agent whose workspace keeps failing goes to error after some tries, not at the first', async () => {
    await service.restart({ ROOST_BWRAP: '/bin/false', ROOST_WORKSPACE_TRIES: '2' });
    const { id } = await service.agent();
    const status = async () => (await service.ask(getAgent, { agent_id: id })).status;
    await expect(ensure(id)).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    expect(await status()).toBe('active');
    await expect(ensure(id)).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    expect(await status()).toBe('error');
  });

  it('an agent whose daemon keeps ending goes to error with the reason', async () => {
    await service.restart({ ROOST_WORKSPACE_TRIES: '2' });
    const { id } = await service.agent();
    await ensure(id);
    const read = () => service.ask(getAgent, { agent_id: id });
    await until(
      'it is given up',
      async () => {
        if ((await read()).status === 'error') return true;
        if (await isAwake(id)) void run(id, 'kill -9 -1').catch(() => undefined);
        return false;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    expect((await read()).statusReason).toContain('the workspace keeps ending');
  });
});
