import { freshBus, type FreshBus, until } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import {
  kubernetesFixture,
  type KubernetesFixture,
  type KubernetesFixtureOptions,
} from '../../../test/drivers/kubernetes/kubernetes-fixture.js';

const isFull = process.env['ROOST_FULL'] === '1';

describe.concurrent('the kubernetes driver, where a cluster has trouble,', () => {
  let bus: FreshBus;
  let connection: NatsConnection;
  beforeAll(async () => {
    bus = await freshBus();
    connection = await bus.connect();
  });
  afterAll(async () => {
    await connection.close();
    bus.release();
  });

  const withFixture = async (options: KubernetesFixtureOptions, use: (fixture: KubernetesFixture) => Promise<void>) => {
    const fixture = await kubernetesFixture(bus, connection, { startTimeoutMs: 4_000, patienceMs: 500, ...options });
    try {
      await use(fixture);
    } finally {
      await fixture.close();
    }
  };
  /** What the agent's status_reason becomes; nothing may run afterwards. */
  const reasonOf = async ({ double, driver }: KubernetesFixture, spec = specOf()) => {
    const made = driver();
    const error: unknown = await made.ensure(spec).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    await until('nothing runs', () => double.store.all('pods').length === 0);
    return (error as Error).message;
  };

  it('reports that there is no storage class', () =>
    withFixture({}, async (fixture) => {
      fixture.double.controllers.storage = 'no-class';
      expect(await reasonOf(fixture)).toContain(
        'give the cluster a default storage class, or name one in the settings',
      );
    }));

  it('reports that a volume does not come', () =>
    withFixture({}, async (fixture) => {
      fixture.double.controllers.storage = 'pending';
      const reason = await reasonOf(fixture);
      expect(reason).toContain('the volume is still not there');
      expect(reason).toContain('kubectl describe pvc');
    }));

  it('reports that no node takes the workspace', () =>
    withFixture({}, async (fixture) => {
      fixture.double.kubelet.fate = () => 'unschedulable';
      expect(await reasonOf(fixture)).toContain('no node takes the workspace (0/1 nodes are available: 1 Insufficient');
    }));

  it('reports that the image cannot be pulled', () =>
    withFixture({}, async (fixture) => {
      fixture.double.kubelet.fate = () => 'image-pull-back-off';
      expect(await reasonOf(fixture)).toContain("check the image's name in the settings, and imagePullSecrets");
    }));

  it('reports that the quota is used up, of volumes as of pods', () =>
    withFixture({}, async (fixture) => {
      fixture.double.controllers.rules = { quota: { persistentvolumeclaims: 0 } };
      expect(await reasonOf(fixture)).toContain("the namespace's quota is used up");
      fixture.double.controllers.rules = { quota: { pods: 0 } };
      expect(await reasonOf(fixture)).toContain("the namespace's quota is used up");
    }));

  it('leaves alone what has its names and is not its own', () =>
    withFixture({}, async (fixture) => {
      const { store } = fixture.double;
      for (const [plural, kind] of [
        ['persistentvolumeclaims', 'PersistentVolumeClaim'],
        ['secrets', 'Secret'],
        ['statefulsets', 'StatefulSet'],
      ] as const) {
        const spec = specOf();
        const template = { metadata: {}, spec: {} };
        const foreign = store.create(plural, {
          apiVersion: kind === 'StatefulSet' ? 'apps/v1' : 'v1',
          kind,
          metadata: { name: `roost-${spec.agentId}`, namespace: 'roost' },
          spec: { replicas: 0, template, resources: { requests: { storage: '1' } } },
        });
        expect(await reasonOf(fixture, spec)).toContain(`a ${kind} named roost-${spec.agentId} exists that is not`);
        const driver = fixture.driver();
        await driver.sleep(spec.agentId);
        if (kind !== 'StatefulSet') await driver.remove(spec.agentId);
        expect(store.find(plural, 'roost', foreign.metadata.name)?.metadata.uid).toBe(foreign.metadata.uid);
      }
    }));

  it('refuses ids that Kubernetes could not carry', () =>
    withFixture({}, async (fixture) => {
      for (const agentId of ['a'.repeat(253), 'a'.repeat(64), 'Not-Lower', 'dot.ted', '']) {
        await expect(fixture.driver().ensure(specOf({ agentId }))).rejects.toThrow(
          'cannot name anything in Kubernetes',
        );
      }
      expect(fixture.double.store.everything()).toEqual([]);
    }));

  it('reports running out of memory and eviction, and brings both back', () =>
    withFixture({ startTimeoutMs: 60_000, restartMs: 2_000 }, async (fixture) => {
      const driver = fixture.driver();
      const spec = specOf();
      await driver.ensure(spec);
      fixture.double.kubelet.kill(spec.agentId, 'OOMKilled');
      const failed = await until('it is seen', async () => {
        const status = await driver.inspect(spec.agentId);
        return status.state === 'failed' && status;
      });
      expect(failed).toMatchObject({ reason: expect.stringContaining('raise resources.memory of the agent') });
      await driver.ensure(spec);
      const claims = fixture.double.store.all('persistentvolumeclaims');
      expect(fixture.double.kubelet.evict(spec.agentId)).toBe(true);
      await until('it is replaced', () => fixture.double.store.all('pods')[0]?.status?.['phase'] !== 'Failed');
      await driver.ensure(spec);
      expect(fixture.double.store.all('persistentvolumeclaims')).toEqual(claims);
      expect([...fixture.double.kubelet.mostAtOnce.values()]).toEqual([1]);
    }));

  it(
    'goes on while the API server is away, reports it to those who need it, and catches up',
    { timeout: 400_000 },
    () =>
      withFixture({ startTimeoutMs: 20_000 }, async (fixture) => {
        const driver = fixture.driver();
        const [running, late] = [specOf(), specOf()];
        await driver.ensure(running);
        await fixture.double.hangUp();
        await driver.ensure(running);
        await expect(driver.ensure(late)).rejects.toThrow('the Kubernetes API does not answer');
        await new Promise((resolve) => setTimeout(resolve, isFull ? 300_000 : 200));
        await expect(driver.inspect(running.agentId)).resolves.toEqual({ state: 'running' });
        await fixture.double.listen();
        await driver.ensure(late);
        await driver.remove(running.agentId);
        expect(fixture.double.store.all('pods')).toHaveLength(1);
        expect(new Set(fixture.double.kubelet.mostAtOnce.values())).toEqual(new Set([1]));
      }),
  );

  it('opens a silent watch anew, and lists again where it missed changes', () =>
    withFixture({ startTimeoutMs: 20_000, silenceMs: 300 }, async (fixture) => {
      let silent = 8;
      fixture.double.fault = ({ verb }) => (verb === 'watch' && silent-- > 0 ? { kind: 'silence' } : undefined);
      const driver = fixture.driver();
      await driver.ensure(specOf());
      expect(silent).toBeLessThanOrEqual(0);
      await fixture.double.hangUp();
      fixture.double.store.compact();
      await fixture.double.listen();
      await driver.ensure(specOf());
      expect(fixture.double.store.all('pods')).toHaveLength(2);
    }));

  it("expands a volume and never shrinks it, and mounts nothing but the workspace's own secret", () =>
    withFixture({ startTimeoutMs: 20_000 }, async (fixture) => {
      const driver = fixture.driver();
      const spec = specOf();
      const sizes: unknown[] = [];
      for (const volumeBytes of [64, 128, 96]) {
        await driver.ensure({ ...spec, volumeBytes: volumeBytes * 2 ** 20 });
        await driver.sleep(spec.agentId);
        sizes.push(fixture.double.store.all('persistentvolumeclaims')[0]?.spec?.['resources']);
      }
      const sized = (mebi: number) => ({ requests: { storage: String(mebi * 2 ** 20) } });
      expect(sizes).toEqual([sized(64), sized(128), sized(128)]);
      const [secret] = fixture.double.store.all('secrets');
      expect(Object.keys((secret?.['data'] ?? {}) as object).sort()).toEqual(['bus.creds', 'workspace.json']);
      expect(secret?.metadata.ownerReferences).toMatchObject([{ kind: 'PersistentVolumeClaim' }]);
      const role = [...fixture.double.verbs].filter((verb) => !/^(get|list|watch|create|patch|delete) /.test(verb));
      expect(role).toEqual([]);
    }));
});
