import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyFiles } from './copy.js';
import { moveFiles } from './move.js';
import { searchFiles } from '../search/search-files.js';
import { agentId, VolumeFixture } from '../../test/volume-fixture.js';

const fixture = new VolumeFixture();

describe('operations', () => {
  it.each(['near/..', 'near/deep/..', 'near/here', 'near/whole'])(
    'copy no directory into itself, however it is named: %s',
    async (source) => {
      await fixture.write('near/deep/file', '1');
      symlinkSync('.', join(fixture.root, 'near/here'));
      symlinkSync('..', join(fixture.root, 'near/whole'));
      const operations = [{ source, destination: 'near/deep/new/copy', overwrite: false }];
      const { results } = await copyFiles(fixture.volume, { agentId, operations });
      expect(results).toMatchObject([{ success: false, error: { message: expect.stringContaining('in the source') } }]);
      expect(await fixture.names('near/deep', true)).toEqual(['file']);
    },
  );

  it('stand each alone', async () => {
    await fixture.write('src/a', '1');
    await fixture.write('src/deep/b', '2');
    await fixture.write('taken', '3');
    const copied = await copyFiles(fixture.volume, {
      agentId,
      operations: [
        { source: 'src', destination: 'copy', overwrite: false },
        { source: 'none', destination: 'x', overwrite: false },
        { source: 'src/a', destination: 'taken', overwrite: false },
        { source: 'src/a', destination: 'taken', overwrite: true },
        { source: 'src', destination: 'src/inside', overwrite: false },
      ],
    });
    expect(copied.results.map(({ success, error }) => error?.code ?? success)).toEqual([
      true,
      'NOT_FOUND',
      'ALREADY_EXISTS',
      true,
      'VALIDATION_ERROR',
    ]);
    expect(await fixture.read('copy/deep/b')).toBe('2');
    expect(await fixture.read('taken')).toBe('1');
    const moved = await moveFiles(fixture.volume, {
      agentId,
      operations: [
        { source: 'taken', destination: 'copy/a', overwrite: false },
        { source: 'taken', destination: 'new/place', overwrite: false },
        { source: '', destination: 'y', overwrite: false },
      ],
    });
    expect(moved.results.map(({ success, error }) => error?.code ?? success)).toEqual([
      'ALREADY_EXISTS',
      true,
      'VALIDATION_ERROR',
    ]);
    expect(await fixture.read('new/place')).toBe('1');
  });
});

describe('search', () => {
  const search = (query: string, more: object = {}) =>
    searchFiles(fixture.volume, {
      agentId,
      query,
      type: 'filename',
      path: '',
      caseSensitive: false,
      maxResults: 100,
      ...more,
    });

  it('finds names by glob and lines by pattern', async () => {
    await fixture.write('src/main.ts', 'first\nconst Answer = 42;\n');
    await fixture.write('src/lib/util.ts', 'nothing');
    await fixture.write('README.md', 'answer');
    expect((await search('*.ts')).results.map(({ path }) => path)).toEqual([
      '/workspace/src/lib/util.ts',
      '/workspace/src/main.ts',
    ]);
    expect((await search('src/*.ts')).results.map(({ path }) => path)).toEqual(['/workspace/src/main.ts']);
    expect((await search('readme')).total).toBe(1);
    expect((await search('answer\\s*=', { type: 'content' })).results).toMatchObject([
      { path: '/workspace/src/main.ts', matches: [{ line: 2, text: 'const Answer = 42;' }] },
    ]);
    expect((await search('answer', { type: 'content', caseSensitive: true })).results).toMatchObject([
      { path: '/workspace/README.md' },
    ]);
    expect((await search('answer', { type: 'content', filePattern: '*.md' })).total).toBe(1);
    await expect(search('(?=x)', { type: 'content' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('takes a hostile pattern and a hostile file in good time', async () => {
    await fixture.write('a.txt', `${'a'.repeat(9_000)}!\n`.repeat(20));
    const startedAt = Date.now();
    await search('(a+)+$', { type: 'content' });
    await search(`${'*a'.repeat(30)}*b`);
    expect(Date.now() - startedAt).toBeLessThan(60_000);
  });
});
