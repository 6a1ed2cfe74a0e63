import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDirectory, deleteDirectory } from '../directories/directories.js';
import { deleteFile } from './write-file.js';
import { patchFile } from './patch-file.js';
import { getMetadata, updateMetadata } from '../metadata/metadata.js';
import { deletePaths } from '../operations/delete.js';
import { moveFiles } from '../operations/move.js';
import { makeDeepTree } from '../../test/deep-tree.js';
import { volumeUsage } from '../usage.js';
import { agentId, VolumeFixture } from '../../test/volume-fixture.js';

const fixture = new VolumeFixture();

describe('files', () => {
  it('are made with their parents, once, and replaced only when that is asked for', async () => {
    await expect(fixture.write('a/b/c.txt', 'one')).resolves.toMatchObject({ path: '/workspace/a/b/c.txt', size: 3 });
    await expect(fixture.write('/workspace/a/b/c.txt', 'two')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const { etag } = await fixture.write('workspace/a/b/c.txt', 'two', { overwrite: true });
    await expect(fixture.write('a/b/c.txt', 'three', { mustExist: true, ifMatch: 'other' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await fixture.write('a/b/c.txt', 'three', { mustExist: true, ...(etag ? { ifMatch: etag } : {}) });
    expect(await fixture.read('a/b/c.txt')).toBe('three');
    await expect(fixture.write('none', 'x', { mustExist: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(fixture.write('a/b', 'x')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(fixture.write('a/b/c.txt/d', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(readdirSync(join(fixture.root, '.roost/drafts'))).toEqual([]);
  });

  it('that are not UTF-8 are read in base64', async () => {
    writeFileSync(join(fixture.root, 'bin'), Buffer.from([0xff, 0, 1]));
    await expect(fixture.read('bin')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('base64'),
    });
    expect(await fixture.read('bin', 'base64')).toBe('/wAB');
  });

  it('are changed in parts', async () => {
    await fixture.write('log', 'middle');
    const patch = (operation: 'append' | 'prepend' | 'replace', content: string, position?: number, length?: number) =>
      patchFile(fixture.volume, { agentId, path: 'log', operation, content, encoding: 'utf-8', position, length });
    await patch('append', ' end');
    await patch('prepend', 'start ');
    await patch('replace', 'MIDDLE', 6, 6);
    expect(await fixture.read('log')).toBe('start MIDDLE end');
    await expect(patch('replace', 'x', 1_000)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(patch('replace', 'x')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('are deleted; directories are not, here', async () => {
    await fixture.write('d/f', 'x');
    await expect(deleteFile(fixture.volume, { agentId, path: 'd' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await deleteFile(fixture.volume, { agentId, path: 'd/f' });
    await expect(deleteFile(fixture.volume, { agentId, path: 'd/f' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of any size go in and out in parts', async () => {
    const data = randomBytes(1_700_000);
    await expect(fixture.upload('big', data)).resolves.toMatchObject({ size: data.length, path: '/workspace/big' });
    expect((await fixture.download('big')).equals(data)).toBe(true);
    expect((await fixture.download('big', 'file', 1_000_000, 10)).equals(data.subarray(1_000_000, 1_000_010))).toBe(
      true,
    );
    await expect(fixture.upload('big', data)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(
      fixture.transfers.openRead({ agentId, path: 'big', source: 'file', offset: 2_000_000 }),
    ).rejects.toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
    expect(await fixture.download('big', 'file', data.length)).toHaveLength(0);
  });

  it('keep their first content for a reader while they are replaced', async () => {
    await fixture.upload('f', Buffer.alloc(1_000_000, 'a'));
    const { streamId } = await fixture.transfers.openRead({ agentId, path: 'f', source: 'file', offset: 0 });
    const first = await fixture.transfers.read({ agentId, streamId, part: 0 });
    await fixture.write('f', 'short', { overwrite: true });
    const content = [first];
    while (!content.at(-1)?.isLast)
      content.push(await fixture.transfers.read({ agentId, streamId, part: content.length }));
    const bytes = Buffer.concat(content.map(({ data }) => data));
    expect(bytes.equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
    truncateSync(join(fixture.root, 'f'), 0);
    await fixture.transfers.close({ agentId, streamId });
  });
});

describe('directories', () => {
  it('are made, listed in name order and deleted', async () => {
    await expect(createDirectory(fixture.volume, { agentId, path: 'x/y', recursive: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await createDirectory(fixture.volume, { agentId, path: 'x/y', recursive: true, permissions: '750' });
    expect(statSync(join(fixture.root, 'x/y')).mode & 0o777).toBe(0o750);
    await expect(createDirectory(fixture.volume, { agentId, path: 'x', recursive: false })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await fixture.write('x/b', '');
    await fixture.write('x/a', '');
    expect(await fixture.names('x')).toEqual(['a', 'b', 'y']);
    expect(await fixture.names('', true)).toEqual(['x', 'x/a', 'x/b', 'x/y']);
    await expect(deleteDirectory(fixture.volume, { agentId, path: 'x', recursive: false })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await deleteDirectory(fixture.volume, { agentId, path: 'x', recursive: true });
    expect(await fixture.names('')).toEqual([]);
    await expect(deleteDirectory(fixture.volume, { agentId, path: '', recursive: true })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });

  it.each([false, true])('of many entries are paged without a gap or a double (recursive: %s)', async (recursive) => {
    mkdirSync(join(fixture.root, 'many/sub'), { recursive: true });
    for (let i = 0; i < 2_500; i += 1) writeFileSync(join(fixture.root, 'many', i % 2 ? 'sub' : '', `f${i}`), '');
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await fixture.list('many', { recursive, limit: 100, ...(cursor ? { cursor } : {}) });
      seen.push(...page.entries.map(({ name }) => name));
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(recursive ? 2_501 : 1_251);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('of any depth and any rights are deleted', async () => {
    makeDeepTree(fixture.root, 'dddd', 1_500);
    mkdirSync(join(fixture.root, 'locked/in'), { recursive: true });
    execFileSync('chmod', ['0', join(fixture.root, 'locked/in'), join(fixture.root, 'locked')]);
    const { results } = await deletePaths(fixture.volume, {
      agentId,
      paths: ['dddd', 'locked', 'none'],
      recursive: true,
    });
    expect(results.map(({ success }) => success)).toEqual([true, true, false]);
    expect(readdirSync(fixture.root)).toEqual(['.roost']);
  });

  it('show names that are not UTF-8 or hold control characters with escapes, by which they can be read and deleted', async () => {
    const raw = [
      Buffer.from([0x66, 0xff, 0xfe]),
      Buffer.from('a\nb'),
      Buffer.from('\\x41'),
      Buffer.from('ü\\\xe9', 'latin1'),
    ];
    for (const name of raw) writeFileSync(Buffer.concat([Buffer.from(`${fixture.root}/`), name]), name);
    const shown = await fixture.names('');
    expect(shown).toHaveLength(4);
    expect(shown).toContain('f\\xff\\xfe');
    expect(shown).toContain('a\\x0ab');
    expect(shown).toContain('\\x41');
    for (const name of shown) {
      expect(raw.some((bytes) => bytes.toString('base64') === '' || bytes.length > 0)).toBe(true);
      await fixture.read(name, 'base64');
      await deleteFile(fixture.volume, { agentId, path: name });
    }
    expect(await fixture.names('')).toEqual([]);
  });
});

describe('metadata', () => {
  it('returns permissions and tags, which follow a move and go with the file', async () => {
    await fixture.write('d/f', 'abc');
    await expect(
      updateMetadata(fixture.volume, { agentId, path: 'd/f', permissions: '600', tags: ['draft'] }),
    ).resolves.toMatchObject({
      path: '/workspace/d/f',
      type: 'file',
      size: 3,
      permissions: '600',
      owner: 'agent',
      tags: ['draft'],
    });
    await moveFiles(fixture.volume, { agentId, operations: [{ source: 'd', destination: 'e', overwrite: false }] });
    await expect(getMetadata(fixture.volume, { agentId, path: 'e/f' })).resolves.toMatchObject({ tags: ['draft'] });
    await deletePaths(fixture.volume, { agentId, paths: ['e'], recursive: true });
    await fixture.write('e/f', 'new');
    await expect(getMetadata(fixture.volume, { agentId, path: 'e/f' })).resolves.toMatchObject({ tags: [] });
    await expect(updateMetadata(fixture.volume, { agentId, path: 'e/f', owner: 'root' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });
});

describe('usage', () => {
  it('counts a sparse file with what it takes', async () => {
    await fixture.write('a', 'x'.repeat(10));
    writeFileSync(join(fixture.root, 'sparse'), '');
    truncateSync(join(fixture.root, 'sparse'), 2 ** 40);
    await expect(volumeUsage(fixture.volume)).resolves.toMatchObject({ files: 2, bytes: 10, isComplete: true });
  });
});
