import { describe, expect, it } from 'vitest';
import { findRunsc } from './find-runsc.js';

describe.runIf(process.getuid?.() === 0)('looking for gVisor', () => {
  it('names what to do where there is none', async () => {
    await expect(findRunsc('/nowhere/runsc')).resolves.toEqual({
      whyNot: 'runsc is not installed: install gVisor and start Roost again, or unset ROOST_LOCAL_RUNTIME',
    });
  });

  it('tries a guest with every platform, and reports why none of them ran', async () => {
    const { whyNot } = (await findRunsc('/bin/false')) as { whyNot: string };
    expect(whyNot).toMatch(/^runsc cannot run a sandbox here \(systrap: .*; ptrace: .*; kvm: exit code 1\)/);
  });

  it('does not believe a program that ends well without having run the guest', async () => {
    await expect(findRunsc('/bin/true')).resolves.toMatchObject({ whyNot: expect.stringContaining('systrap') });
  });
});
