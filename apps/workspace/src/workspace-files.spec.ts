import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectory } from './directories/create-directory.js';
import { deleteDirectory } from './directories/delete-directory.js';
import { listDirectory } from './directories/list-directory.js';
import { deleteFile } from './files/delete-file.js';
import { patchFile } from './files/patch-file.js';
import { readFile } from './files/read-file.js';
import { writeFile } from './files/write-file.js';
import { getMetadata, updateMetadata } from './metadata/metadata.js';
import { copyFiles } from './operations/copy.js';
import { deletePaths } from './operations/delete.js';
import { moveFiles } from './operations/move.js';
import { searchFiles } from './search/search-files.js';
import { Transfers } from './streams/transfers.js';
import { makeDeepTree } from '../test/deep-tree.js';
import { Volume } from './tree/volume.js';
import { volumeUsage } from './usage.js';

const agentId = 'a';
let top: string;
let root: string;
let volume: Volume;
let transfers: Transfers;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'roost-volume-'));
  root = join(top, 'volume');
  mkdirSync(root);
  writeFileSync(join(top, 'outside'), 'canary');
  volume = new Volume(root);
  transfers = new Transfers(volume);
});

afterEach(() => rmSync(top, { recursive: true, force: true }));

const write = (
  path: string,
  content: string,
  more: { overwrite?: boolean; mustExist?: boolean; ifMatch?: string } = {},
) => writeFile(volume, { agentId, path, content, encoding: 'utf-8', overwrite: false, ...more });
const read = async (path: string, encoding: 'utf-8' | 'base64' = 'utf-8') =>
  (await readFile(volume, { agentId, path, encoding })).content;
const list = (path: string, more: { recursive?: boolean; limit?: number; cursor?: string } = {}) =>
  listDirectory(volume, { agentId, path, recursive: false, limit: 1_000, ...more });
const names = async (path: string, recursive = false) =>
  (await list(path, { recursive })).entries.map(({ name }) => name);

async function upload(path: string, data: Buffer, target: 'file' | 'tar.gz' | 'zip' = 'file', overwrite = false) {
  const { streamId } = await transfers.openWrite({ agentId, path, target, overwrite });
  for (let part = 0; part * 500_000 < data.length || part === 0; part += 1) {
    await transfers.write({
      agentId,
      streamId,
      part,
      data: data.subarray(part * 500_000, (part + 1) * 500_000),
    });
  }
  return transfers.finish({ agentId, streamId });
}

async function download(
  path: string,
  source: 'file' | 'tar.gz' | 'zip' = 'file',
  offset = 0,
  length?: number,
): Promise<Buffer> {
  const { streamId } = await transfers.openRead({ agentId, path, source, offset, length });
  const parts: Uint8Array[] = [];
  for (let part = 0; ; part += 1) {
    const { data, isLast } = await transfers.read({ agentId, streamId, part });
    parts.push(data);
    if (isLast) break;
  }
  await transfers.close({ agentId, streamId });
  return Buffer.concat(parts);
}

describe('files', () => {
  it('are made with their parents, once, and replaced only when that is asked for', async () => {
    await expect(write('a/b/c.txt', 'one')).resolves.toMatchObject({ path: '/workspace/a/b/c.txt', size: 3 });
    await expect(write('/workspace/a/b/c.txt', 'two')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const { etag } = await write('workspace/a/b/c.txt', 'two', { overwrite: true });
    await expect(write('a/b/c.txt', 'three', { mustExist: true, ifMatch: 'other' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await write('a/b/c.txt', 'three', { mustExist: true, ...(etag ? { ifMatch: etag } : {}) });
    expect(await read('a/b/c.txt')).toBe('three');
    await expect(write('none', 'x', { mustExist: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(write('a/b', 'x')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(write('a/b/c.txt/d', 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(readdirSync(join(root, '.roost/drafts'))).toEqual([]);
  });

  it('that are not UTF-8 are read in base64', async () => {
    writeFileSync(join(root, 'bin'), Buffer.from([0xff, 0, 1]));
    await expect(read('bin')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('base64'),
    });
    expect(await read('bin', 'base64')).toBe('/wAB');
  });

  it('are changed in parts', async () => {
    await write('log', 'middle');
    const patch = (operation: 'append' | 'prepend' | 'replace', content: string, position?: number, length?: number) =>
      patchFile(volume, { agentId, path: 'log', operation, content, encoding: 'utf-8', position, length });
    await patch('append', ' end');
    await patch('prepend', 'start ');
    await patch('replace', 'MIDDLE', 6, 6);
    expect(await read('log')).toBe('start MIDDLE end');
    await expect(patch('replace', 'x', 1_000)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(patch('replace', 'x')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('are deleted; directories are not, here', async () => {
    await write('d/f', 'x');
    await expect(deleteFile(volume, { agentId, path: 'd' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await deleteFile(volume, { agentId, path: 'd/f' });
    await expect(deleteFile(volume, { agentId, path: 'd/f' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of any size go in and out in parts', async () => {
    const data = randomBytes(1_700_000);
    await expect(upload('big', data)).resolves.toMatchObject({ size: data.length, path: '/workspace/big' });
    expect((await download('big')).equals(data)).toBe(true);
    expect((await download('big', 'file', 1_000_000, 10)).equals(data.subarray(1_000_000, 1_000_010))).toBe(true);
    await expect(upload('big', data)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(transfers.openRead({ agentId, path: 'big', source: 'file', offset: 2_000_000 })).rejects.toMatchObject(
      { code: 'RANGE_NOT_SATISFIABLE' },
    );
    expect(await download('big', 'file', data.length)).toHaveLength(0);
  });

  it('keep their first content for a reader while they are replaced', async () => {
    await upload('f', Buffer.alloc(1_000_000, 'a'));
    const { streamId } = await transfers.openRead({ agentId, path: 'f', source: 'file', offset: 0 });
    const first = await transfers.read({ agentId, streamId, part: 0 });
    await write('f', 'short', { overwrite: true });
    const content = [first];
    while (!content.at(-1)?.isLast) content.push(await transfers.read({ agentId, streamId, part: content.length }));
    const bytes = Buffer.concat(content.map(({ data }) => data));
    expect(bytes.equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
    truncateSync(join(root, 'f'), 0);
    await transfers.close({ agentId, streamId });
  });
});

describe('directories', () => {
  it('are made, listed in name order and deleted', async () => {
    await expect(createDirectory(volume, { agentId, path: 'x/y', recursive: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await createDirectory(volume, { agentId, path: 'x/y', recursive: true, permissions: '750' });
    expect(statSync(join(root, 'x/y')).mode & 0o777).toBe(0o750);
    await expect(createDirectory(volume, { agentId, path: 'x', recursive: false })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await write('x/b', '');
    await write('x/a', '');
    expect(await names('x')).toEqual(['a', 'b', 'y']);
    expect(await names('', true)).toEqual(['x', 'x/a', 'x/b', 'x/y']);
    await expect(deleteDirectory(volume, { agentId, path: 'x', recursive: false })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await deleteDirectory(volume, { agentId, path: 'x', recursive: true });
    expect(await names('')).toEqual([]);
    await expect(deleteDirectory(volume, { agentId, path: '', recursive: true })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });

  it.each([false, true])('of many entries are paged without a gap or a double (recursive: %s)', async (recursive) => {
    mkdirSync(join(root, 'many/sub'), { recursive: true });
    for (let i = 0; i < 2_500; i += 1) writeFileSync(join(root, 'many', i % 2 ? 'sub' : '', `f${i}`), '');
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await list('many', { recursive, limit: 100, ...(cursor ? { cursor } : {}) });
      seen.push(...page.entries.map(({ name }) => name));
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(recursive ? 2_501 : 1_251);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('of any depth and any rights are deleted', async () => {
    makeDeepTree(root, 'dddd', 1_500);
    mkdirSync(join(root, 'locked/in'), { recursive: true });
    execFileSync('chmod', ['0', join(root, 'locked/in'), join(root, 'locked')]);
    const { results } = await deletePaths(volume, { agentId, paths: ['dddd', 'locked', 'none'], recursive: true });
    expect(results.map(({ success }) => success)).toEqual([true, true, false]);
    expect(readdirSync(root)).toEqual(['.roost']);
  });

  it('show names that are not UTF-8 or hold control characters with escapes, by which they can be read and deleted', async () => {
    const raw = [
      Buffer.from([0x66, 0xff, 0xfe]),
      Buffer.from('a\nb'),
      Buffer.from('\\x41'),
      Buffer.from('ü\\\xe9', 'latin1'),
    ];
    for (const name of raw) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), name);
    const shown = await names('');
    expect(shown).toHaveLength(4);
    expect(shown).toContain('f\\xff\\xfe');
    expect(shown).toContain('a\\x0ab');
    expect(shown).toContain('\\x41');
    for (const name of shown) {
      expect(raw.some((bytes) => bytes.toString('base64') === '' || bytes.length > 0)).toBe(true);
      await read(name, 'base64');
      await deleteFile(volume, { agentId, path: name });
    }
    expect(await names('')).toEqual([]);
  });
});

describe('the wall', () => {
  it('lets no path and no link lead out, and follows links that stay in', async () => {
    await write('in/file', 'inside');
    symlinkSync('in', join(root, 'alias'));
    symlinkSync('/workspace/in/file', join(root, 'absolute'));
    symlinkSync('../outside', join(root, 'up'));
    symlinkSync('/etc/passwd', join(root, 'passwd'));
    symlinkSync('..', join(root, 'dotdot'));
    symlinkSync('loop', join(root, 'loop'));
    expect(await read('alias/file')).toBe('inside');
    expect(await read('absolute')).toBe('inside');
    expect(await read('in/../in/file')).toBe('inside');
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
      await expect(read(path), path).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
      await expect(write(path, 'x', { overwrite: true }), path).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    }
    expect(readFileSync(join(top, 'outside'), 'utf8')).toBe('canary');
    await deleteFile(volume, { agentId, path: 'up' });
    await deleteFile(volume, { agentId, path: 'loop' });
  });

  it('refuses FIFOs, sockets and devices without waiting for them, and deletes them', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await expect(read('fifo')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(write('fifo', 'x', { overwrite: true })).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect((await list('')).entries).toMatchObject([{ name: 'fifo', type: 'other' }]);
    await deleteFile(volume, { agentId, path: 'fifo' });
  });

  it.each([['a\0b'], ['a\nb'], ['x'.repeat(5_000)], ['y'.repeat(256)], ['\\x00']])(
    'refuses the path %j',
    async (path) => {
      await expect(write(path, '')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    },
  );

  it('survives the agent replacing the daemon’s own folder', async () => {
    symlinkSync(top, join(root, '.roost'));
    await write('f', 'x');
    expect(readdirSync(top).sort()).toEqual(['outside', 'volume']);
    rmSync(join(root, '.roost'), { recursive: true });
    await write('g', 'x');
  });
});

describe('metadata', () => {
  it('tells permissions and tags, which follow a move and go with the file', async () => {
    await write('d/f', 'abc');
    await expect(
      updateMetadata(volume, { agentId, path: 'd/f', permissions: '600', tags: ['draft'] }),
    ).resolves.toMatchObject({
      path: '/workspace/d/f',
      type: 'file',
      size: 3,
      permissions: '600',
      owner: 'agent',
      tags: ['draft'],
    });
    await moveFiles(volume, { agentId, operations: [{ source: 'd', destination: 'e', overwrite: false }] });
    await expect(getMetadata(volume, { agentId, path: 'e/f' })).resolves.toMatchObject({ tags: ['draft'] });
    await deletePaths(volume, { agentId, paths: ['e'], recursive: true });
    await write('e/f', 'new');
    await expect(getMetadata(volume, { agentId, path: 'e/f' })).resolves.toMatchObject({ tags: [] });
    await expect(updateMetadata(volume, { agentId, path: 'e/f', owner: 'root' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
  });
});

describe('operations', () => {
  it.each(['near/..', 'near/deep/..', 'near/here', 'near/whole'])(
    'copy no directory into itself, however it is named: %s',
    async (source) => {
      await write('near/deep/file', '1');
      symlinkSync('.', join(root, 'near/here'));
      symlinkSync('..', join(root, 'near/whole'));
      const operations = [{ source, destination: 'near/deep/new/copy', overwrite: false }];
      const { results } = await copyFiles(volume, { agentId, operations });
      expect(results).toMatchObject([{ success: false, error: { message: expect.stringContaining('in the source') } }]);
      expect(await names('near/deep', true)).toEqual(['file']);
    },
  );

  it('stand each alone', async () => {
    await write('src/a', '1');
    await write('src/deep/b', '2');
    await write('taken', '3');
    const copied = await copyFiles(volume, {
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
    expect(await read('copy/deep/b')).toBe('2');
    expect(await read('taken')).toBe('1');
    const moved = await moveFiles(volume, {
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
    expect(await read('new/place')).toBe('1');
  });
});

describe('search', () => {
  const search = (query: string, more: object = {}) =>
    searchFiles(volume, { agentId, query, type: 'filename', path: '', caseSensitive: false, maxResults: 100, ...more });

  it('finds names by glob and lines by pattern', async () => {
    await write('src/main.ts', 'first\nconst Answer = 42;\n');
    await write('src/lib/util.ts', 'nothing');
    await write('README.md', 'answer');
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
    await write('a.txt', `${'a'.repeat(9_000)}!\n`.repeat(20));
    const startedAt = Date.now();
    await search('(a+)+$', { type: 'content' });
    await search(`${'*a'.repeat(30)}*b`);
    expect(Date.now() - startedAt).toBeLessThan(6_000);
  });
});

describe('archives', () => {
  async function tar(entries: ({ name: string; content?: string } & Record<string, unknown>)[]): Promise<Buffer> {
    const stream = pack();
    for (const { content, ...header } of entries) stream.entry(header as { name: string }, content ?? '');
    stream.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of stream.pipe(createGzip())) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  it.each(['tar.gz', 'zip'] as const)('go out and in as %s', async (format) => {
    await write('p/a.txt', 'A');
    await write('p/q/b.txt', 'B'.repeat(100_000));
    await write('p/empty', '');
    const packed = await download('p', format);
    await expect(upload('copy', packed, format)).resolves.toMatchObject({
      files: 3,
      size: 100_001,
      path: '/workspace/copy',
    });
    expect(await names('copy', true)).toEqual(['a.txt', 'empty', 'q', 'q/b.txt']);
    expect(await read('copy/a.txt')).toBe('A');
    await expect(upload('copy', packed, format)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await upload('copy', packed, format, true);
  });

  it.each([
    [
      'a path that climbs',
      [
        { name: 'ok', content: '1' },
        { name: '../evil', content: 'x' },
      ],
    ],
    ['an absolute path', [{ name: '/etc/evil', content: 'x' }]],
    ['a link that leads out', [{ name: 'l', type: 'symlink', linkname: '../../x' }]],
    ['an absolute link', [{ name: 'l', type: 'symlink', linkname: '/etc' }]],
    [
      'links that lead out only together',
      [
        { name: 'a', type: 'symlink', linkname: '.' },
        { name: 's', type: 'symlink', linkname: 'a/..' },
      ],
    ],
    [
      'links that lead out together, in the other order',
      [
        { name: 's', type: 'symlink', linkname: 'd/e/../../..' },
        { name: 'd/e', type: 'symlink', linkname: '..' },
      ],
    ],
    ['a link that climbs out of what is missing', [{ name: 'l', type: 'symlink', linkname: 'missing/..' }]],
    ['a link to itself', [{ name: 'l', type: 'symlink', linkname: 'l/x' }]],
    ['a link into our own folder', [{ name: 'l', type: 'symlink', linkname: '.roost/drafts' }]],
    [
      'a file through a link',
      [
        { name: 'l', type: 'symlink', linkname: 'd' },
        { name: 'l/evil', content: 'x' },
      ],
    ],
    ['a hard link', [{ name: 'h', type: 'link', linkname: 'l' }]],
    ['a device', [{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }]],
    [
      'a name twice',
      [
        { name: 'f', content: '1' },
        { name: 'f', content: '2' },
      ],
    ],
    ['our own folder', [{ name: '.roost/tags.json', content: '{}' }]],
  ])('with %s are refused, and nothing is written', async (_, entries) => {
    await expect(upload('to', await tar(entries), 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('nothing was written'),
    });
    expect(readdirSync(root)).toEqual(['.roost']);
    expect(readdirSync(join(root, '.roost/drafts'))).toEqual([]);
    expect(readdirSync(top).sort()).toEqual(['outside', 'volume']);
  });

  it('with a link that leads out through one that is there already are refused, and nothing is written', async () => {
    mkdirSync(join(root, 'to'));
    symlinkSync('..', join(root, 'to/up'));
    for (const linkname of ['up/..', 'up/x', 'up']) {
      const archive = await tar([{ name: 's', type: 'symlink', linkname }]);
      await expect(upload('to', archive, 'tar.gz', true), linkname).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    }
    expect(readdirSync(join(root, 'to'))).toEqual(['up']);
  });

  it('with links that stay in the tree are unpacked, whatever the order and the way', async () => {
    const links = {
      first: 'bin/tool',
      'bin/tool': '../lib/real',
      loop: '.',
      'd/up': '..',
      'd/back': 'up/bin/../lib/real',
      dangling: 'lib/later',
    };
    await upload(
      'to',
      await tar([
        { name: 'first', type: 'symlink', linkname: links.first },
        ...Object.entries(links)
          .slice(1)
          .map(([name, linkname]) => ({ name, type: 'symlink', linkname })),
        { name: 'lib/real', content: 'here' },
      ]),
      'tar.gz',
    );
    for (const [name, target] of Object.entries(links)) expect(readlinkSync(join(root, 'to', name))).toBe(target);
    expect(await read('to/first')).toBe('here');
    expect(await read('to/d/back')).toBe('here');
  });

  it('of any names go out, also of those that are no text', async () => {
    const odd = [Buffer.from([0x66, 0xff, 0x2e, 0x74]), Buffer.from('back\\slash'), Buffer.from('tab\there')];
    mkdirSync(join(root, 'odd'));
    for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(join(root, 'odd/')), name]), 'x');
    await write('odd/ä b.txt', 'plain');
    for (const format of ['zip', 'tar.gz'] as const) {
      const packed = await download('odd', format);
      await expect(upload(`copy-${format}`, packed, format)).resolves.toMatchObject({ files: 4 });
      expect(await read(`copy-${format}/ä b.txt`)).toBe('plain');
      expect(readdirSync(join(root, `copy-${format}`))).toHaveLength(4);
    }
  });

  it('that are bombs, damaged or of another kind are refused', async () => {
    const bomb = await tar([{ name: 'zeros', content: '\0'.repeat(200 * 1024 * 1024) }]);
    await expect(upload('to', bomb, 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('far more'),
    });
    await expect(upload('to', gzipSync('no tar'), 'tar.gz')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(upload('to', Buffer.from('neither'), 'tar.gz')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(upload('to', Buffer.from('neither'), 'zip')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    await expect(upload('to', bomb.subarray(0, 1_000), 'tar.gz')).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(readdirSync(root)).toEqual(['.roost']);
  });
});

describe('usage', () => {
  it('counts a sparse file with what it takes', async () => {
    await write('a', 'x'.repeat(10));
    writeFileSync(join(root, 'sparse'), '');
    truncateSync(join(root, 'sparse'), 2 ** 40);
    await expect(volumeUsage(volume)).resolves.toMatchObject({ files: 2, bytes: 10, isComplete: true });
  });
});
