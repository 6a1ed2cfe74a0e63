import { sealerFrom } from '#lib/auth';
import { getAgent, updateAgent } from '#lib/contracts';
import { until } from '#lib/testing';
import { AccountLimits } from '#lib/quotas';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lifecycleConfigSchema } from '../config.js';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { Platform, Replica } from '../../test/shared-platform.js';
import { AwakeLeases } from './awake-leases.js';
import { reconcile } from './reconcile.js';
import { WorkspacesService } from './workspaces.service.js';

const quiet = { warn: () => undefined, info: () => undefined };

describe('two replicas that keep the same workspaces', () => {
  let service: LifecycleService;
  beforeAll(async () => {
    service = await lifecycleService();
  });
  afterAll(() => service.stop());

  const platform = new Platform();
  const replica = () => {
    const driver = new Replica(platform);
    const config = lifecycleConfigSchema.parse({
      NATS_URL: 'nats://localhost',
      DATABASE_URL: service.databaseUrl,
      ROOST_MASTER_KEY: service.masterKey,
    });
    const leases = new AwakeLeases(service.rows, new AccountLimits(service.bus, config));
    const workspaces = new WorkspacesService(
      service.rows,
      service.bus,
      sealerFrom(config),
      driver,
      config,
      quiet as never,
      leases,
    );
    return { driver, workspaces };
  };
  const changeNetwork = (id: string) =>
    service.ask(updateAgent, { agent_id: id, configuration: { network: { mode: 'none' } } });

  it('leave asleep what one of them put to sleep', async () => {
    const [one, two] = [replica(), replica()];
    const { id } = await service.agent();
    await one.workspaces.ensure({ agentId: id, accountId: null });
    await two.workspaces.sleep(id);
    for (let round = 0; round < 3; round += 1) await reconcile(service.rows, one.workspaces);
    expect(platform.holders.has(id)).toBe(false);
    expect(one.workspaces.failures.add(id)).toBe(1);
  });

  it('have a changed network count where the line is, whoever was asked', async () => {
    const { driver, workspaces } = replica();
    const { id } = await service.agent();
    workspaces.start();
    try {
      await workspaces.ensure({ agentId: id, accountId: null });
      expect(driver.policies.get(id)).toEqual({ mode: 'public' });
      await changeNetwork(id);
      await until('it counts', () => driver.policies.get(id)?.mode === 'none');
    } finally {
      workspaces.stop();
    }
  });

  it('find a changed network by the rows when nobody told them', async () => {
    const { driver, workspaces } = replica();
    const { id } = await service.agent();
    await workspaces.ensure({ agentId: id, accountId: null });
    await changeNetwork(id);
    await reconcile(service.rows, workspaces);
    expect(driver.policies.get(id)).toEqual({ mode: 'none' });
    expect(workspaces.awake.get(id)?.isStale).toBe(true);
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
    vi.useFakeTimers({ toFake: ['Date'] });
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
    const { workspaces } = replica();
    const { id } = await service.agent();
    await workspaces.ensure({ agentId: id, accountId: null });
    await service.ask(updateAgent, { agent_id: id, name: 'another' });
    await reconcile(service.rows, workspaces);
    expect(workspaces.awake.get(id)).toMatchObject({ isStale: false });
  });
});
