import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#lib/testing';
import { answersPing } from '../../src/sandboxes/daemon.js';
import { type DriverSuiteOptions, type DriverUnderTest, specOf, workspacesOf } from './driver-under-test.js';
import { describeIsolation } from './isolation-suite.js';
import { describeReplicas } from './replicas-suite.js';

/** What `WorkspaceDriver` promises, tried on a driver. `make` is called once. */
export function describeDriver(name: string, options: DriverSuiteOptions, make: () => Promise<DriverUnderTest>): void {
  describe(`${name}, as every driver,`, () => {
    let under: DriverUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(() => under?.close());

    const { awake, bootId, put, get, listed } = workspacesOf(() => under);

    it('makes a workspace that answers, puts it to sleep and wakes it with its files', async () => {
      const spec = await awake();
      const { agentId } = spec;
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'running' });
      await put(agentId, 'hello');
      await under.driver.sleep(agentId);
      expect(await answersPing(under.connection, agentId)).toBe(false);
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
      expect(await listed(agentId)).toEqual(['asleep']);
      await under.driver.ensure(spec);
      await expect(get(agentId)).resolves.toBe('hello');
      expect(await listed(agentId)).toEqual(['running']);
    });

    it('makes one workspace for many callers at once, and leaves it alone when it is asked again', async () => {
      const spec = specOf();
      await Promise.all(Array.from({ length: 10 }, () => under.driver.ensure(spec)));
      const first = await bootId(spec.agentId);
      await under.driver.ensure(spec);
      await expect(bootId(spec.agentId)).resolves.toBe(first);
      expect(await listed(spec.agentId)).toEqual(['running']);
    });

    it('sleeps when it is put to sleep in the middle of a start', async () => {
      const spec = specOf();
      const start = under.driver.ensure(spec).catch(() => undefined);
      await under.driver.sleep(spec.agentId);
      await start;
      await under.driver.sleep(spec.agentId);
      expect(await answersPing(under.connection, spec.agentId)).toBe(false);
    });

    it('removes a workspace with its files permanently, asleep or not, as often as it is asked', async () => {
      const specs = await Promise.all([awake(), awake()]);
      for (const { agentId } of specs) await put(agentId, 'old');
      await under.driver.sleep(specs[0].agentId);
      for (const spec of specs) {
        await under.driver.remove(spec.agentId);
        await under.driver.remove(spec.agentId);
        expect(await answersPing(under.connection, spec.agentId)).toBe(false);
        expect(await listed(spec.agentId)).toEqual([]);
      }
      await under.driver.ensure(specs[0]);
      await expect(get(specs[0].agentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('knows nothing of an agent it never saw, and harms nothing when it is asked to end it', async () => {
      const agentId = randomUUID();
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
      await under.driver.sleep(agentId);
      await under.driver.remove(agentId);
      expect(await listed(agentId)).toEqual([]);
      await expect(under.driver.networkLog(agentId, 10)).resolves.toEqual([]);
    });

    it('sees a crashed workspace as no longer running and brings it back with its files', async () => {
      const spec = await awake();
      const first = await bootId(spec.agentId);
      await put(spec.agentId, 'kept');
      await under.crash(spec.agentId);
      await until('it is seen', async () => (await under.driver.inspect(spec.agentId)).state !== 'running');
      await under.driver.ensure(spec);
      await expect(get(spec.agentId)).resolves.toBe('kept');
      expect(await bootId(spec.agentId)).not.toBe(first);
    });

    it('distinguishes a workspace that crashed from one that was put to sleep', async () => {
      const spec = await awake();
      await under.crash(spec.agentId);
      await until('it is seen', async () => (await under.driver.inspect(spec.agentId)).state !== 'running');
      const { state } = await under.driver.inspect(spec.agentId);
      // Where the platform starts it again by itself it is never seen as failed.
      expect(['failed', ...(under.mendsItself ? ['starting', 'running'] : [])]).toContain(state);
      await under.driver.ensure(spec);
      await under.driver.sleep(spec.agentId);
      await expect(under.driver.inspect(spec.agentId)).resolves.toEqual({ state: 'asleep' });
    });

    describeReplicas(options, () => under);

    it('keeps two agents apart', async () => {
      const [one, two] = await Promise.all([awake(), awake()]);
      await put(one.agentId, 'mine');
      await expect(get(two.agentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await bootId(one.agentId)).not.toBe(await bootId(two.agentId));
    });

    it('describes how workspaces are isolated', async () => {
      const isolation = await under.driver.isolation();
      expect(isolation).toMatchObject({ runtime: expect.any(String), volumes: expect.any(String) });
      expect(under.driver.whyNever).toBeUndefined();
    });

    it('finds the volumes again after a restart and puts everything to sleep when it is closed', async ({ skip }) => {
      if (!under.another) return skip('this driver is not made twice');
      const spec = await awake();
      await put(spec.agentId, 'before');
      await under.driver.sleep(spec.agentId);
      const next = under.another();
      expect((await next.list()).map(({ agentId }) => agentId)).toContain(spec.agentId);
      await next.ensure(spec);
      await expect(get(spec.agentId)).resolves.toBe('before');
      await next.close();
      await until('it sleeps', async () => !(await answersPing(under.connection, spec.agentId)));
      await expect(next.ensure(specOf())).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    });

    describeIsolation(options, () => under);
  });
}
