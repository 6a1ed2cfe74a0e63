import { freshBus } from '#lib/testing';
import { renderChart } from '#tools/helm';
import { expect, it } from 'vitest';
import { kubernetesFixture } from '../../apps/agent-lifecycle/test/drivers/kubernetes/kubernetes-fixture.js';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';

/** Asked for by the cluster's admission, not by us, where it enforces owner references. */
const byAdmission = ['update persistentvolumeclaims/finalizers'];

it('the Role grants the lifecycle service what it asks for, and nothing else', async () => {
  const bus = await freshBus();
  const connection = await bus.connect();
  const fixture = await kubernetesFixture(bus, connection);
  const driver = fixture.driver();
  const spec = specOf();
  await driver.ensure(spec);
  await driver.ensure({ ...spec, network: { mode: 'public' } });
  await driver.sleep(spec.agentId);
  await driver.remove(spec.agentId);
  fixture.double.kubelet.fate = () => 'unschedulable';
  const impatient = fixture.driver({ startTimeoutMs: 1_500 });
  await expect(impatient.ensure(specOf())).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
  const asked = [...fixture.double.verbs].sort();
  await fixture.close();
  await connection.close();
  bus.release();

  const { manifests } = await renderChart();
  const role = manifests.find(({ kind }) => kind === 'Role');
  const rules = role?.['rules'] as { resources: string[]; verbs: string[] }[];
  const granted = rules.flatMap(({ resources, verbs }) =>
    resources.flatMap((of) => verbs.map((verb) => `${verb} ${of}`)),
  );
  expect(granted.filter((grant) => !byAdmission.includes(grant)).sort()).toEqual(asked);
  expect(manifests.filter(({ kind }) => /^Cluster/.test(kind))).toEqual([]);
});
