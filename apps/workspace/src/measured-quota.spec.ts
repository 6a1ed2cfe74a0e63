import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { patchFile } from './files/patch-file.js';
import { readFile } from './files/read-file.js';
import { writeFile } from './files/write-file.js';
import { MeasuredQuota } from './measured-quota.js';
import { copyFiles } from './operations/copy.js';
import { Transfers } from './streams/transfers.js';
import { Volume } from './tree/volume.js';

const agentId = 'a';
const mebibyte = 2 ** 20;
let root: string;
let quota: MeasuredQuota;
let volume: Volume;
let overruns: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'roost-quota-'));
  overruns = 0;
  quota = new MeasuredQuota({
    root,
    limitBytes: 4.5 * mebibyte,
    isBusy: () => false,
    onOverrun: () => (overruns += 1),
  });
  volume = new Volume(root, quota);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, bytes: number, overwrite = false) =>
  writeFile(volume, { agentId, path, content: 'x'.repeat(bytes), encoding: 'utf-8', overwrite });
const full = { code: 'INSUFFICIENT_STORAGE', message: expect.stringContaining('pvc_size') };

describe('a volume whose size is measured', () => {
  it('takes writes of the API up to its size, refuses more by whatever call, and keeps the old content', async () => {
    await write('a', 2 * mebibyte);
    await write('b', mebibyte);
    await expect(write('c', 2 * mebibyte)).rejects.toMatchObject(full);
    await expect(write('a', 3 * mebibyte, true)).rejects.toMatchObject(full);
    expect((await readFile(volume, { agentId, path: 'a', encoding: 'utf-8', length: 3 })).content).toBe('xxx');
    const append = { agentId, path: 'b', content: 'y'.repeat(mebibyte), encoding: 'utf-8' } as const;
    await expect(patchFile(volume, { ...append, operation: 'append' })).resolves.toMatchObject({ size: 2 * mebibyte });
    await expect(patchFile(volume, { ...append, operation: 'prepend' })).rejects.toMatchObject(full);
    const copied = await copyFiles(volume, {
      agentId,
      operations: [{ source: 'a', destination: 'd', overwrite: false }],
    });
    expect(copied.results).toMatchObject([{ success: false, error: { code: 'INSUFFICIENT_STORAGE' } }]);
    const transfers = new Transfers(volume);
    const { streamId } = await transfers.openWrite({ agentId, path: 's', target: 'file', overwrite: false });
    const data = Buffer.alloc(512 * 1_024);
    await expect(transfers.write({ agentId, streamId, part: 0, data })).rejects.toMatchObject(full);
    await transfers.close({ agentId, streamId });
    unlinkSync(join(root, 'a'));
    await write('c', mebibyte);
  });

  it('notices what commands wrote: in any folder, in files that are deleted but open, as a mass of empty files', async () => {
    mkdirSync(join(root, 'deep/er'), { recursive: true });
    writeFileSync(join(root, 'deep/er/f'), Buffer.alloc(3 * mebibyte, 1));
    await quota.measure();
    expect(quota.isFull).toBe(false);
    const fd = openSync(join(root, 'gone'), 'w');
    try {
      unlinkSync(join(root, 'gone'));
      writeSync(fd, Buffer.alloc(2 * mebibyte, 1));
      await quota.measure();
      expect([quota.isFull, overruns]).toEqual([true, 1]);
    } finally {
      closeSync(fd);
    }
    await quota.measure();
    expect(quota.isFull).toBe(false);
    for (let i = 0; i < 10_001; i += 1) writeFileSync(join(root, `e${i}`), '');
    await quota.measure();
    expect([quota.isFull, overruns]).toEqual([true, 2]);
  });
});
