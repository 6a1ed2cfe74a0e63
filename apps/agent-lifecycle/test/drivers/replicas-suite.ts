import { until } from '#lib/testing';
import { describe, expect, it, type TestContext } from 'vitest';
import type { WorkspaceDriver } from '../../src/sandboxes/workspace-driver.js';
import { type DriverSuiteOptions, type DriverUnderTest, specOf, workspacesOf } from './driver-under-test.js';

/** Two drivers that work on the same workspaces at the same time, as those of two replicas of the service. */
export function describeReplicas({ isIsolated }: DriverSuiteOptions, under: () => DriverUnderTest): void {
  const { awake, bootId, put, get, listed } = workspacesOf(under);

  describe('with another replica of the service', () => {
    const inTwo = async ({ skip }: TestContext, act: (one: WorkspaceDriver, two: WorkspaceDriver) => Promise<void>) => {
      const tested = under();
      if (!tested.isShared || !tested.another) return skip('workspaces of this driver belong to one process');
      const two = tested.another();
      await act(tested.driver, two).finally(() => two.close());
    };

    it('makes one workspace when both are asked at once', (context) =>
      inTwo(context, async (one, two) => {
        for (let round = 0; round < (isIsolated ? 5 : 1); round += 1) {
          const specs = Array.from({ length: 3 }, () => specOf());
          await Promise.all(specs.flatMap((spec) => [one.ensure(spec), two.ensure(spec)]));
          for (const { agentId } of specs) {
            const first = await bootId(agentId);
            await Promise.all([one.ensure(specOf({ agentId })), two.ensure(specOf({ agentId }))]);
            expect(await bootId(agentId)).toBe(first);
          }
        }
      }));

    it('sees what the other one put to sleep as asleep, and wakes it', (context) =>
      inTwo(context, async (one, two) => {
        const spec = await awake();
        await put(spec.agentId, 'kept');
        await two.sleep(spec.agentId);
        await until('it sleeps', async () => (await one.inspect(spec.agentId)).state === 'asleep');
        await Promise.all([two.ensure(spec), one.ensure(spec)]);
        await expect(get(spec.agentId)).resolves.toBe('kept');
        await one.sleep(spec.agentId);
        await until('it sleeps', async () => (await two.inspect(spec.agentId)).state === 'asleep');
      }));

    it('wakes what the other one puts to sleep in the middle of its start', (context) =>
      inTwo(context, async (one, two) => {
        for (let round = 0; round < 3; round += 1) {
          const spec = specOf();
          const waking = one.ensure(spec);
          await until('it starts', async () => (await two.inspect(spec.agentId)).state !== 'asleep');
          await Promise.all([waking, two.sleep(spec.agentId)]);
        }
      }));

    it('wakes and puts to sleep against each other, and is left with one that can be used', (context) =>
      inTwo(context, async (one, two) => {
        const spec = specOf();
        const acts = [one, two].flatMap((driver) => [
          () => driver.ensure(spec).catch(() => undefined),
          () => driver.sleep(spec.agentId),
          () => driver.ensure(spec).catch(() => undefined),
        ]);
        await Promise.all(acts.map((act) => act()));
        await Promise.all([one.ensure(spec), two.ensure(spec)]);
        await put(spec.agentId, 'there');
        await expect(get(spec.agentId)).resolves.toBe('there');
        await two.remove(spec.agentId);
        expect(await listed(spec.agentId)).toEqual([]);
      }));
  });
}
