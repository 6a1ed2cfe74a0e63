import { getAgent, updateAgent } from '#lib/contracts';
import { until } from '#lib/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { workspacesReplica } from '../../test/replica.js';
import { Platform } from '../../test/shared-platform.js';

describe('two replicas that keep the same workspaces', () => {
  let service: LifecycleService;
  beforeAll(async () => {
    // What the service itself looks after is not what is tried here.
    service = await lifecycleService({ ROOST_RECONCILE_MS: '3600000' });
  });
  afterAll(() => service.stop());

  const platform = new Platform();
  const replica = () => workspacesReplica(service, platform);
  const changeNetwork = (id: string) =>
    service.ask(updateAgent, { agent_id: id, configuration: { network: { mode: 'none' } } });

  it('leave asleep what one of them put to sleep', async () => {
    const [one, two] = [replica(), replica()];
    const { id } = await service.agent();
    await one.workspaces.ensure({ agentId: id, accountId: null });
    await two.workspaces.sleep(id);
    for (let round = 0; round < 3; round += 1) await one.reconciler.reconcile();
    expect(platform.holders.has(id)).toBe(false);
    expect(one.launcher.failures.backoff.add(id)).toBe(1);
  });

  it('leave awake what one of them woke, however long ago the other saw it used', async () => {
    const [one, two] = [replica(), replica()];
    const { id } = await service.agent();
    await service.rows.query(`UPDATE agents SET warmth_window_ms = 1000 WHERE id = $1`, [id]);
    for (const { activity } of [one, two]) activity.touch(id);
    await one.workspaces.ensure({ agentId: id, accountId: null });
    await two.driver.ensure({ agentId: id, network: { mode: 'public' } } as never);
    await one.workspaces.sleep(id);
    await delay(1_100);
    await two.reconciler.reconcile();
    await one.workspaces.ensure({ agentId: id, accountId: null });
    await two.reconciler.reconcile();
    expect(platform.holders.has(id)).toBe(true);
  });

  it('keep in mind what was started while a round was under way', async () => {
    const one = replica();
    const { id } = await service.agent();
    await one.workspaces.ensure({ agentId: id, accountId: null });
    await one.workspaces.sleep(id);
    const list = one.driver.list.bind(one.driver);
    vi.spyOn(one.driver, 'list').mockImplementationOnce(async () => {
      const seen = await list();
      await delay(5);
      await one.workspaces.ensure({ agentId: id, accountId: null });
      return seen;
    });
    await one.reconciler.reconcile();
    expect(one.launcher.awake.has(id)).toBe(true);
  });

  it('leave an agent that was changed while its old self failed to start', async () => {
    const one = workspacesReplica(service, platform, { ROOST_WORKSPACE_TRIES: '1' });
    const { id } = await service.agent();
    const failing = vi.spyOn(one.driver, 'ensure').mockImplementationOnce(async () => {
      await changeNetwork(id);
      throw new Error('there is no such image');
    });
    const wake = () => one.workspaces.ensure({ agentId: id, accountId: null });
    await expect(wake()).rejects.toThrow('there is no such image');
    await wake();
    await one.workspaces.sleep(id);
    failing.mockRejectedValueOnce(new Error('there is no such image'));
    await expect(wake()).rejects.toThrow('there is no such image');
    await expect(wake()).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE', details: [{ reason: 'error' }] });
  });

  it('have a changed network count where the connection is, whoever was asked', async () => {
    const { driver, reconciler, workspaces } = replica();
    const { id } = await service.agent();
    reconciler.start();
    try {
      await workspaces.ensure({ agentId: id, accountId: null });
      expect(driver.policies.get(id)).toEqual({ mode: 'public' });
      await changeNetwork(id);
      await until('it counts', () => driver.policies.get(id)?.mode === 'none');
    } finally {
      await reconciler.stop();
    }
  });

  it('find a changed network by the rows when no hint reached them', async () => {
    const { driver, launcher, reconciler, workspaces } = replica();
    const { id } = await service.agent();
    await workspaces.ensure({ agentId: id, accountId: null });
    await changeNetwork(id);
    await reconciler.reconcile();
    expect(driver.policies.get(id)).toEqual({ mode: 'none' });
    expect(launcher.awake.get(id)?.isStale).toBe(true);
  });

  it('look after all others when one can neither be put to sleep nor removed', async () => {
    const { reconciler, workspaces } = replica();
    const awake = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { id } = await service.agent();
        await workspaces.ensure({ agentId: id, accountId: null });
        return id;
      }),
    );
    const [stuck = '', ...others] = awake;
    platform.stuck.add(stuck);
    await service.rows.query(`UPDATE agents SET status = 'stopped' WHERE id = ANY($1)`, [awake]);
    await reconciler.reconcile();
    expect(awake.filter((id) => platform.holders.has(id))).toEqual([stuck]);

    const deleted = await service.rows.query<{ agent_id: string }>(
      `INSERT INTO deleted_agents (agent_id, account_id, deleted_at)
       SELECT gen_random_uuid(), gen_random_uuid(), '2020-01-01 00:00:00.123456' FROM generate_series(1, 45) RETURNING agent_id`,
    );
    const ids = deleted.map(({ agent_id }) => agent_id).toSorted();
    for (const id of ids.slice(0, 25)) platform.stuck.add(id);
    for (let round = 0; round < 3; round += 1) await reconciler.reconcile();
    const left = await service.rows.query<{ agent_id: string }>(
      `SELECT agent_id FROM deleted_agents WHERE volume_removed_at IS NULL AND agent_id = ANY($1) ORDER BY agent_id`,
      [ids],
    );
    expect(left.map(({ agent_id }) => agent_id)).toEqual(ids.slice(0, 25));
    expect(others).toHaveLength(3);
    platform.stuck.clear();
  });

  it('take a host that is away for a moment for no failure of its agents', async () => {
    const { workspaces } = replica();
    const { id } = await service.agent();
    const statusOf = async () => (await service.ask(getAgent, { agent_id: id })).status;
    const tryOften = async () => {
      for (let tries = 0; tries < 10; tries += 1)
        await expect(workspaces.ensure({ agentId: id, accountId: null })).rejects.toThrow('Docker does not answer');
    };
    platform.isAway = true;
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      await tryOften();
      expect(await statusOf()).toBe('active');
      for (let waits = 0; waits < 4; waits += 1) {
        vi.advanceTimersByTime(60_000);
        await tryOften().catch(() => undefined);
      }
      expect(await statusOf()).toBe('error');
    } finally {
      vi.useRealTimers();
      platform.isAway = false;
    }
  });

  it('do not restart a sandbox for a change that is not about it', async () => {
    const { launcher, reconciler, workspaces } = replica();
    const { id } = await service.agent();
    await workspaces.ensure({ agentId: id, accountId: null });
    await service.ask(updateAgent, { agent_id: id, name: 'another' });
    await reconciler.reconcile();
    expect(launcher.awake.get(id)).toMatchObject({ isStale: false });
  });
});
