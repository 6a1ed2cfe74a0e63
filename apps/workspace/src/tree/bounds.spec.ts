import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteFile } from '../files/write-file.js';
import { agentId, VolumeFixture } from '../../test/volume-fixture.js';

const fixture = new VolumeFixture();

describe('the bounds of the workspace', () => {
  it('lets no path and no link lead out, and follows links that stay in', async () => {
    await fixture.write('in/file', 'inside');
    symlinkSync('in', join(fixture.root, 'alias'));
    symlinkSync('/workspace/in/file', join(fixture.root, 'absolute'));
    symlinkSync('../outside', join(fixture.root, 'up'));
    symlinkSync('/etc/passwd', join(fixture.root, 'passwd'));
    symlinkSync('..', join(fixture.root, 'dotdot'));
    symlinkSync('loop', join(fixture.root, 'loop'));
    expect(await fixture.read('alias/file')).toBe('inside');
    expect(await fixture.read('absolute')).toBe('inside');
    expect(await fixture.read('in/../in/file')).toBe('inside');
    for (const path of [
      'up',
      'passwd',
      'dotdot/outside',
      '../outside',
      '/etc/passwd',
      '/workspace/../outside',
      'in/../../outside',
      'loop',
      '.roost/tags.json',
      '.roost',
      'in/../.roost/x',
    ]) {
      await expect(fixture.read(path), path).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
      await expect(fixture.write(path, 'x', { overwrite: true }), path).rejects.toMatchObject({
        code: 'ACCESS_DENIED',
      });
    }
    expect(readFileSync(join(fixture.top, 'outside'), 'utf8')).toBe('canary');
    await deleteFile(fixture.volume, { agentId, path: 'up' });
    await deleteFile(fixture.volume, { agentId, path: 'loop' });
  });

  it('refuses FIFOs, sockets and devices without waiting for them, and deletes them', async () => {
    execFileSync('mkfifo', [join(fixture.root, 'fifo')]);
    await expect(fixture.read('fifo')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(fixture.write('fifo', 'x', { overwrite: true })).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect((await fixture.list('')).entries).toMatchObject([{ name: 'fifo', type: 'other' }]);
    await deleteFile(fixture.volume, { agentId, path: 'fifo' });
  });

  it.each([['a\0b'], ['a\nb'], ['x'.repeat(5_000)], ['y'.repeat(256)], ['\\x00']])(
    'refuses the path %j',
    async (path) => {
      await expect(fixture.write(path, '')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    },
  );

  it('survives the agent replacing the daemon’s own folder', async () => {
    symlinkSync(fixture.top, join(fixture.root, '.roost'));
    await fixture.write('f', 'x');
    expect(readdirSync(fixture.top).sort()).toEqual(['outside', 'volume']);
    rmSync(join(fixture.root, '.roost'), { recursive: true });
    await fixture.write('g', 'x');
  });
});
