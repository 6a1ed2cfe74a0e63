import { startRoost, type TestRoost } from '#lib/testing';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';

interface ErrorBody {
  error: { code: string; message: string };
}
interface ResultsBody {
  results: { success: boolean; error?: { code: string } }[];
}

const MEBIBYTE = 1024 * 1024;
const octets = { 'content-type': 'application/octet-stream' };
const old = 'the old content\n';

describe('a full volume', () => {
  let roost: TestRoost;
  let base: string;

  const call = <Body = ErrorBody>(method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    roost.api<Body>(method, `${base}/${path}`, body, headers);
  const sizes = [16 * MEBIBYTE, MEBIBYTE, 64 * 1024, 4 * 1024];

  /** Writes until nothing of any size goes in any more. */
  async function fill(): Promise<void> {
    let number = 0;
    for (const size of sizes) {
      for (;;) {
        const written = await call('POST', `files/fill/${number++}`, new Uint8Array(size), octets);
        if (written.status !== 201) {
          expect([written.status, written.body.error.code]).toEqual([507, 'INSUFFICIENT_STORAGE']);
          break;
        }
      }
    }
  }

  beforeAll(async () => {
    roost = await startRoost({ services: ['agent-lifecycle', 'gateway'] });
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'full', pvc_size: '100Mi' });
    base = `/v1/agent/${agent.body.id}/filesystem`;
    await call('POST', 'files/kept.txt', { content: old });
    await call('POST', 'files/tree/a.bin', new Uint8Array(2 * MEBIBYTE), octets);
    await call('PATCH', 'metadata/kept.txt', { tags: ['kept'] });
    await fill();
  });
  afterAll(async () => roost.stop());

  const large = () => randomBytes(2 * MEBIBYTE).toString('base64');
  it.each<[string, string, string, () => unknown, Record<string, string>?]>([
    ['a new text', 'POST', 'files/new.txt', () => ({ content: 'x'.repeat(60_000) })],
    ['a new text of megabytes', 'POST', 'files/new.txt', () => ({ content: large() })],
    ['new bytes in base64', 'POST', 'files/new.txt', () => ({ content: large(), encoding: 'base64' })],
    ['a new stream', 'POST', 'files/new.bin', () => new Uint8Array(2 * MEBIBYTE), octets],
    ['a replaced text', 'PUT', 'files/kept.txt', () => ({ content: 'x'.repeat(60_000) })],
    ['a replaced text of megabytes', 'PUT', 'files/kept.txt', () => ({ content: large() })],
    ['a replacing stream', 'PUT', 'files/kept.txt', () => new Uint8Array(2 * MEBIBYTE), octets],
    ['an overwriting stream', 'POST', 'files/kept.txt?overwrite=true', () => new Uint8Array(2 * MEBIBYTE), octets],
    ['appending', 'PATCH', 'files/kept.txt', () => ({ operation: 'append', content: 'x'.repeat(60_000) })],
    ['appending megabytes', 'PATCH', 'files/kept.txt', () => ({ operation: 'append', content: large() })],
    ['prepending', 'PATCH', 'files/kept.txt', () => ({ operation: 'prepend', content: 'x'.repeat(60_000) })],
    ['a replaced part', 'PATCH', 'files/kept.txt', () => ({ operation: 'replace', position: 4, content: large() })],
    ['a tar.gz', 'POST', 'archive/new', () => tarOf(randomBytes(2 * MEBIBYTE)), { 'content-type': 'application/gzip' }],
    ['a zip', 'POST', 'archive/new', () => zipOf(randomBytes(2 * MEBIBYTE)), { 'content-type': 'application/zip' }],
    [
      'an archive over what is there',
      'POST',
      'archive/?overwrite=true',
      () => tarOf(randomBytes(2 * MEBIBYTE), 'kept.txt'),
      { 'content-type': 'application/gzip' },
    ],
  ])('refuses %s with 507 and keeps what is there', async (_, method, path, body, headers) => {
    const content = await body();
    const refused = await call(method, path, content, headers);
    expect([refused.status, refused.body.error.code]).toEqual([507, 'INSUFFICIENT_STORAGE']);
    expect(refused.body.error.message).toContain('pvc_size');
    expect((await call<{ content: string }>('GET', 'files/kept.txt')).body.content).toBe(old);
    expect((await call('GET', 'files/new.txt')).status).toBe(404);
    expect((await call('GET', 'directories/new')).status).toBe(404);
  });

  it('refuses copies in their result, and moves without needing any', async () => {
    const copied = await call<ResultsBody>('POST', 'operations/copy', {
      operations: [
        { source: 'fill/0', destination: 'copied' },
        { source: 'tree', destination: 'tree-2' },
      ],
    });
    expect(copied.body.results.map(({ error }) => error?.code)).toEqual([
      'INSUFFICIENT_STORAGE',
      'INSUFFICIENT_STORAGE',
    ]);
    const moved = await call<ResultsBody>('POST', 'operations/move', { source: 'tree', destination: 'forest' });
    expect(moved.body.results).toMatchObject([{ success: true }]);
    expect((await call('GET', 'directories/tree-2')).status).toBe(404);
  });

  it('still reads, lists and deletes, and takes content again then', async () => {
    expect((await call('GET', 'directories/fill')).status).toBe(200);
    expect(await call('DELETE', 'files/kept.txt')).toMatchObject({ status: 200 });
    const { results } = (
      await call<ResultsBody>('POST', 'operations/delete', { paths: ['fill/0', 'forest'], recursive: true })
    ).body;
    expect(results).toMatchObject([{ success: true }, { success: true }]);
    expect(await call('POST', 'files/new.txt', { content: large() })).toMatchObject({ status: 201 });
  });

  it('of names alone is full too', async () => {
    expect(await call('DELETE', 'directories/fill?recursive=true')).toMatchObject({ status: 200 });
    const entries = Array.from({ length: 26_000 }, (_, index) => `names/${index}`);
    const refused = await call('POST', 'archive/', await tarOf(Buffer.alloc(0), ...entries), {
      'content-type': 'application/gzip',
    });
    expect([refused.status, refused.body.error?.code]).toEqual([507, 'INSUFFICIENT_STORAGE']);
    expect((await call('GET', 'directories/names')).status).toBe(404);
  });
});

async function tarOf(content: Buffer, ...names: string[]): Promise<Uint8Array> {
  const archive = pack();
  for (const name of names.length > 0 ? names : ['new.txt']) archive.entry({ name }, content);
  archive.finalize();
  return new Uint8Array(gzipSync(await collect(archive as unknown as AsyncIterable<Buffer>)));
}

async function zipOf(content: Buffer): Promise<Uint8Array> {
  const archive = new ZipFile();
  archive.addBuffer(content, 'new.txt');
  archive.end();
  return new Uint8Array(await collect(archive.outputStream as unknown as AsyncIterable<Buffer>));
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('PATCH', () => {
  let roost: TestRoost;
  beforeAll(async () => {
    roost = await startRoost({ services: ['agent-lifecycle', 'gateway'] });
  });
  afterAll(async () => roost.stop());

  it('takes the 10 MiB that JSON content may have, in each operation and encoding, and 413 says when it is more', async () => {
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'patch' });
    const file = `/v1/agent/${agent.body.id}/filesystem/files/log`;
    await roost.api('POST', file, { content: '0123456789' });
    const ten = 10 * MEBIBYTE;
    const patch = (body: object) => roost.api<{ size: number } & ErrorBody>('PATCH', file, body);
    expect(await patch({ operation: 'append', content: 'a'.repeat(ten) })).toMatchObject({
      status: 200,
      body: { size: 10 + ten },
    });
    const bytes = randomBytes(ten);
    expect(await patch({ operation: 'prepend', content: bytes.toString('base64'), encoding: 'base64' })).toMatchObject({
      status: 200,
      body: { size: 10 + 2 * ten },
    });
    expect(
      await patch({ operation: 'replace', position: ten + 2, length: 4, content: 'ü'.repeat(ten / 2) }),
    ).toMatchObject({ status: 200, body: { size: 6 + 3 * ten } });
    const read = (query: string) => roost.api<{ content: string }>('GET', `${file}?${query}`);
    expect((await read('encoding=base64&length=100000')).body.content).toBe(
      bytes.subarray(0, 100_000).toString('base64'),
    );
    expect((await read(`offset=${ten}&length=6`)).body.content).toBe('01üü');
    expect((await read(`offset=${2 * ten + 2}&length=6`)).body.content).toBe('6789aa');
    expect(await patch({ operation: 'append', content: 'a'.repeat(ten + 1) })).toMatchObject({
      status: 413,
      body: { error: { code: 'PAYLOAD_TOO_LARGE' } },
    });
    expect(await patch({ operation: 'append', content: '*'.repeat(200_000), encoding: 'base64' })).toMatchObject({
      status: 400,
    });
  });
});
