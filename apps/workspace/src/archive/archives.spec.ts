import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { VolumeFixture } from '../../test/volume-fixture.js';

const fixture = new VolumeFixture();

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
    await fixture.write('p/a.txt', 'A');
    await fixture.write('p/q/b.txt', 'B'.repeat(100_000));
    await fixture.write('p/empty', '');
    const packed = await fixture.download('p', format);
    await expect(fixture.upload('copy', packed, format)).resolves.toMatchObject({
      files: 3,
      size: 100_001,
      path: '/workspace/copy',
    });
    expect(await fixture.names('copy', true)).toEqual(['a.txt', 'empty', 'q', 'q/b.txt']);
    expect(await fixture.read('copy/a.txt')).toBe('A');
    await expect(fixture.upload('copy', packed, format)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await fixture.upload('copy', packed, format, true);
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
    await expect(fixture.upload('to', await tar(entries), 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('nothing was written'),
    });
    expect(readdirSync(fixture.root)).toEqual(['.roost']);
    expect(readdirSync(join(fixture.root, '.roost/drafts'))).toEqual([]);
    expect(readdirSync(fixture.top).sort()).toEqual(['outside', 'volume']);
  });

  it('with a link that leads out through one that is there already are refused, and nothing is written', async () => {
    mkdirSync(join(fixture.root, 'to'));
    symlinkSync('..', join(fixture.root, 'to/up'));
    for (const linkname of ['up/..', 'up/x', 'up']) {
      const archive = await tar([{ name: 's', type: 'symlink', linkname }]);
      await expect(fixture.upload('to', archive, 'tar.gz', true), linkname).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
      });
    }
    expect(readdirSync(join(fixture.root, 'to'))).toEqual(['up']);
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
    await fixture.upload(
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
    for (const [name, target] of Object.entries(links))
      expect(readlinkSync(join(fixture.root, 'to', name))).toBe(target);
    expect(await fixture.read('to/first')).toBe('here');
    expect(await fixture.read('to/d/back')).toBe('here');
  });

  it('of any names go out, also of those that are no text', async () => {
    const odd = [Buffer.from([0x66, 0xff, 0x2e, 0x74]), Buffer.from('back\\slash'), Buffer.from('tab\there')];
    mkdirSync(join(fixture.root, 'odd'));
    for (const name of odd) writeFileSync(Buffer.concat([Buffer.from(join(fixture.root, 'odd/')), name]), 'x');
    await fixture.write('odd/ä b.txt', 'plain');
    for (const format of ['zip', 'tar.gz'] as const) {
      const packed = await fixture.download('odd', format);
      await expect(fixture.upload(`copy-${format}`, packed, format)).resolves.toMatchObject({ files: 4 });
      expect(await fixture.read(`copy-${format}/ä b.txt`)).toBe('plain');
      expect(readdirSync(join(fixture.root, `copy-${format}`))).toHaveLength(4);
    }
  });

  it('that are bombs, damaged or of another kind are refused', async () => {
    const bomb = await tar([{ name: 'zeros', content: '\0'.repeat(200 * 1024 * 1024) }]);
    await expect(fixture.upload('to', bomb, 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringContaining('far more'),
    });
    await expect(fixture.upload('to', gzipSync('no tar'), 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await expect(fixture.upload('to', Buffer.from('neither'), 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await expect(fixture.upload('to', Buffer.from('neither'), 'zip')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    await expect(fixture.upload('to', bomb.subarray(0, 1_000), 'tar.gz')).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    expect(readdirSync(fixture.root)).toEqual(['.roost']);
  });
});
