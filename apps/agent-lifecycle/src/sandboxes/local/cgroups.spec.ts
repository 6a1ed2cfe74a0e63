import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { limitsOf } from '../limits.js';
import { Cgroups } from './cgroups.js';

const cgroups = new Cgroups('cgroups-spec');
const limits = limitsOf({ resources: { cpu: '500m', memory: '256Mi' }, volumeBytes: 2 ** 20 });

const shareFile = (folder: string) => [`${folder}/cpu.shares`, `${folder}/cpu.weight`].find(existsSync);

/** What a group has of the processor, beside one process outside. */
function share(folder: string): number {
  return Number(readFileSync(shareFile(folder) ?? '', 'utf8')) / (cgroups.mode === 'v1' ? 1_024 : 100);
}

function prepare(agentId: string): { one: string; all: string } {
  const one = cgroups.prepare(agentId, limits).map(dirname).find(shareFile);
  if (one === undefined) throw new Error('no group holds the processor');
  return { one, all: dirname(one) };
}

describe.skipIf(cgroups.mode === 'none')('control groups of sandboxes', () => {
  afterAll(() => {
    cgroups.release('first');
    cgroups.release('second');
  });

  it('give all of them together less of a full machine than one process outside, while one starts as much, and that one most of it', () => {
    const first = prepare('first');
    expect(share(first.all)).toBeCloseTo(1, 1);
    expect(share(first.one)).toBeCloseTo(16, 1);
    cgroups.hasStarted('first');
    expect(share(first.all)).toBeCloseTo(0.2, 2);
    expect(share(first.one)).toBeCloseTo(1, 1);

    const second = prepare('second');
    expect(share(second.all)).toBeCloseTo(1, 1);
    expect(share(first.one)).toBeCloseTo(1, 1);
    cgroups.release('second'); // it never answered
    expect(share(second.all)).toBeCloseTo(0.2, 2);
  });

  it('leave none behind', () => {
    const { all } = prepare('first');
    cgroups.release('first');
    expect(existsSync(all)).toBe(false);
  });
});
