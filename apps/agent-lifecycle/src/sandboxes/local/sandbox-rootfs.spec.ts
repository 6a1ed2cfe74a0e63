import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram, temporaryFolder } from '#lib/testing';
import { whyMemoryIsOpen } from './local-runtimes.js';
import { makeRootfs } from './sandbox-rootfs.js';

let folder: string;
let daemonPath: string;

beforeAll(async () => {
  folder = temporaryFolder();
  daemonPath = await bundleProgram('apps/workspace/src/main.ts', join(folder, 'main.cjs'));
});

describe('the rootfs of the sandboxes', () => {
  it('holds a snapshot of the daemon, made once, that does not hold its own path', async () => {
    const dataDir = join(folder, 'data-of-this-host');
    const first = await makeRootfs({ dataDir, daemonPath, areProgramsReadable: false, certificate: '' });
    expect(first.whySlow).toBeUndefined();
    expect(basename(first.daemon)).toMatch(/\.blob$/);
    expect(readFileSync(first.daemon).includes('data-of-this-host')).toBe(false);
    expect(await makeRootfs({ dataDir, daemonPath, areProgramsReadable: false, certificate: '' })).toEqual(first);
    expect(readdirSync(first.folder).filter((name) => name.includes('.blob'))).toHaveLength(1);
  });

  it('holds the script of the daemon where Node makes no snapshot, and returns why', async () => {
    const { daemon, whySlow } = await makeRootfs({
      dataDir: join(folder, 'without'),
      daemonPath,
      nodePath: '/bin/false',
      areProgramsReadable: false,
      certificate: '',
    });
    expect(basename(daemon)).toBe('workspace-daemon.cjs');
    expect(whySlow).toBeDefined();
  });

  it('is not used where the kernel shows the memory of programs that cannot be read', async () => {
    const setting = join(folder, 'suid_dumpable');
    for (const [value, whyNot] of [
      ['0', undefined],
      ['2', undefined],
      ['1', expect.stringContaining('fs.suid_dumpable')],
    ]) {
      writeFileSync(setting, `${value}\n`);
      expect(await whyMemoryIsOpen(setting)).toEqual(whyNot);
    }
  });
});
