import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { STREAM_PART_BYTES } from '#lib/contracts';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deleteDirectory } from './directories/directories.js';
import { listDirectory } from './directories/list-directory.js';
import { readFile } from './files/read-file.js';
import { copyFiles } from './operations/copy.js';
import { searchFiles } from './search/search-files.js';
import { Transfers } from './streams/transfers.js';
import { makeDeepTree } from '../test/deep-tree.js';
import { Volume } from './tree/volume.js';

const agentId = 'a';
/** ROOST_DIRECTORY_ENTRIES=100000 for the full size. */
const entries = Number(process.env['ROOST_DIRECTORY_ENTRIES'] ?? 20_000);
let root: string;
let volume: Volume;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'roost-odd-'));
  volume = new Volume(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a volume that the agent’s code made odd', () => {
  it(`with ${entries} entries in one directory is paged whole, in order, and deleted`, async () => {
    mkdirSync(join(root, 'many'));
    execFileSync('perl', ['-e', `for (1 .. ${entries}) { open(F, ">", sprintf("f%06d", $_)) or die }`], {
      cwd: join(root, 'many'),
    });
    const seen: string[] = [];
    let slowestMs = 0;
    for (let cursor: string | undefined; ;) {
      const startedAt = performance.now();
      const page = await listDirectory(volume, {
        agentId,
        path: 'many',
        recursive: false,
        limit: 1_000,
        ...(cursor ? { cursor } : {}),
      });
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      seen.push(...page.entries.map(({ name }) => name));
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(entries);
    expect(seen).toEqual([...new Set(seen)].sort());
    console.log(`${entries} entries: slowest page of 1,000 in ${Math.round(slowestMs)} ms`);
    await deleteDirectory(volume, { agentId, path: 'many', recursive: true });
    expect(existsSync(join(root, 'many'))).toBe(false);
  });

  it(`takes an archive of ${entries} entries, links among them, and answers others meanwhile`, async () => {
    const transfers = new Transfers(volume);
    const archive = pack();
    const packed = collect(archive.pipe(createGzip()));
    for (let number = 0; number < entries; number += 1) {
      const name = `d${number % 100}/f${number}`;
      if (number % 10 === 1)
        archive.entry({ name, type: 'symlink', linkname: `../d${(number - 1) % 100}/f${number - 1}` });
      else archive.entry({ name }, 'content');
      if (number % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    archive.finalize();
    const { streamId } = await transfers.openWrite({ agentId, path: 'unpacked', target: 'tar.gz', overwrite: false });
    const data = await packed;
    for (let part = 0; part * STREAM_PART_BYTES < data.length; part += 1)
      await transfers.write({
        agentId,
        streamId,
        part,
        data: data.subarray(part * STREAM_PART_BYTES, (part + 1) * STREAM_PART_BYTES),
      });
    let turns = 0;
    const loop = setInterval(() => (turns += 1), 10);
    const { files } = await transfers.finish({ agentId, streamId });
    clearInterval(loop);
    expect(files).toBe(entries);
    expect(turns).toBeGreaterThan(entries / 10_000);
    expect(readlinkSync(join(root, 'unpacked/d1/f101'))).toBe('../d0/f100');
  });

  it('with a file that grows gives a reader what was in it when the reading began', async () => {
    const transfers = new Transfers(volume);
    writeFileSync(join(root, 'log'), Buffer.alloc(700_000, 'a'));
    const { streamId, size } = await transfers.openRead({ agentId, path: 'log', source: 'file', offset: 0 });
    let bytes = 0;
    for (let part = 0; ; part += 1) {
      appendFileSync(join(root, 'log'), Buffer.alloc(300_000, 'b'));
      const { data, isLast } = await transfers.read({ agentId, streamId, part });
      expect(Buffer.from(data).includes('b')).toBe(false);
      bytes += data.length;
      if (isLast) break;
    }
    await transfers.close({ agentId, streamId });
    expect([bytes, size]).toEqual([700_000, 700_000]);
  });

  it('with a sparse file of a terabyte answers at once: parts are read, the whole is refused, search passes by', async () => {
    writeFileSync(join(root, 'sparse'), 'head');
    truncateSync(join(root, 'sparse'), 2 ** 40);
    const read = (more: object) => readFile(volume, { agentId, path: 'sparse', encoding: 'utf-8', ...more });
    expect((await read({ length: 4 })).content).toBe('head');
    expect((await read({ offset: 2 ** 39, length: 2 })).content).toBe('\0\0');
    await expect(read({})).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const found = await searchFiles(volume, {
      agentId,
      query: 'needle',
      type: 'content',
      path: '',
      caseSensitive: false,
      maxResults: 10,
    });
    expect(found.results).toEqual([]);
  });

  it('with a tree deeper than paths can be long is listed, refused for copying, and deleted', async () => {
    makeDeepTree(root, 'deep', 700);
    const listed = await listDirectory(volume, { agentId, path: '', recursive: true, limit: 1_000 });
    expect(listed.entries.length).toBeGreaterThan(50);
    const { results } = await copyFiles(volume, {
      agentId,
      operations: [{ source: 'deep', destination: 'copy', overwrite: false }],
    });
    expect(results).toMatchObject([{ success: false, error: { code: 'VALIDATION_ERROR' } }]);
    expect(readdirSync(join(root, '.roost/drafts'))).toEqual([]);
    await deleteDirectory(volume, { agentId, path: 'deep', recursive: true });
    expect(readdirSync(root)).toEqual(['.roost']);
    expect(statSync(root).isDirectory()).toBe(true);
  });
});

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
