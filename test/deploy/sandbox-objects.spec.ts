import { type PodSpec, violationsOfPodSecurity } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import { dependents, statefulSet, volumeClaim } from '../../apps/agent-lifecycle/src/sandboxes/kubernetes/manifests.js';
import { render, sandboxSettings } from './rendered.js';
import { validate } from './validate.js';
import { valueSets } from './value-sets.js';

const parts = {
  credentials: 'creds',
  endsAt: 1,
  egressToken: 'token',
  certificate: 'PEM',
  addresses: { bus: '10.0.0.1', egress: '10.0.0.2' },
};

/** The driver's own tests apply the same to a double that refuses undeclared fields: `npm run test:kubernetes` has every set. */
const isFull = process.env['ROOST_FULL'] === '1';

describe.each(Object.entries(valueSets))('what the lifecycle service makes of an agent, with %s', (name, values) => {
  it.runIf(isFull || name.startsWith('gVisor'))('is accepted by an API server', async () => {
    const settings = sandboxSettings((await render(values)).manifests);
    const spec = specOf({ network: { mode: 'public' } });
    for (const object of [volumeClaim(settings, spec), ...dependents(settings, spec, 'uid', parts)]) {
      await validate(object as Parameters<typeof validate>[0]);
    }
  });

  it('is under Pod Security "restricted"', async () => {
    const settings = sandboxSettings((await render(values)).manifests);
    const pod = statefulSet(settings, specOf(), 'uid').spec?.template.spec;
    expect(violationsOfPodSecurity('restricted', pod as PodSpec)).toEqual([]);
    expect(pod?.runtimeClassName).toBe(settings.runtimeClassName);
  });

  it('has its network policy before there is a pod', async () => {
    const settings = sandboxSettings((await render(values)).manifests);
    const kinds = dependents(settings, specOf(), 'uid', parts).map(({ kind }) => kind);
    expect(kinds.indexOf('NetworkPolicy')).toBeLessThan(kinds.indexOf('StatefulSet'));
    expect(kinds).toContain('NetworkPolicy');
  });
});
