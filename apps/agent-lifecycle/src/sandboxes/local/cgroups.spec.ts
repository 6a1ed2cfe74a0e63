import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { limitsOf } from '../limits.js';
import { Cgroups } from './cgroups.js';

const cgroups = new Cgroups('roost-cgroups-spec');
const agentId = 'an-agent';
const limits = limitsOf({ resources: { cpu: '500m', memory: '256Mi' }, volumeBytes: 2 ** 20 });

describe.skipIf(cgroups.mode === 'none')('control groups of sandboxes', () => {
  afterAll(() => cgroups.release(agentId));

  it('give all of them together less of a full machine than one process outside', () => {
    const [file = ''] = cgroups
      .prepare(agentId, limits)
      .map((procs) => procs.replace('/roost-cgroups-spec/an-agent/cgroup.procs', ''))
      .flatMap((root) => [`${root}/cpu.shares`, `${root}/cpu.weight`])
      .filter(existsSync);
    const ofAll = cgroups.mode === 'v1' ? 1_024 : 100;
    expect(Number(readFileSync(file, 'utf8')) / ofAll).toBeCloseTo(0.2, 2);
  });
});
