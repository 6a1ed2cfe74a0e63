import { startRoost, type TestRoost } from '#lib/testing';
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface ErrorBody {
  error: { code: string; message: string };
}
interface FileBody {
  path: string;
  content: string;
  size: number;
  etag: string;
}
interface ListBody {
  entries: { name: string; type: string }[];
  next_cursor: string | null;
}
interface ResultsBody {
  results: { success: boolean; error?: { code: string }; path?: string; matches?: { line: number }[] }[];
  total: number;
}

describe('the filesystem API', () => {
  let roost: TestRoost;
  let base: string;

  beforeAll(async () => {
    roost = await startRoost({ services: ['agent-lifecycle', 'gateway'] });
    const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'files' });
    base = `/v1/agent/${agent.body.id}/filesystem`;
  });
  afterAll(async () => roost.stop());

  const call = <Body = ErrorBody>(method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    roost.api<Body>(method, `${base}/${path}`, body, headers);
  /** Bytes as they are: the client of the other tests reads text. */
  const bytes = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${roost.url}${base}/${path}`, {
      headers: { authorization: `Bearer ${roost.apiKey}`, accept: 'application/octet-stream', ...headers },
    });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };

  it('creates, reads, replaces, patches and deletes a file', async () => {
    expect(await call('POST', 'files/notes/a.txt', { content: 'hello' })).toMatchObject({
      status: 201,
      body: { path: '/workspace/notes/a.txt', size: 5 },
    });
    expect(await call('POST', 'files/notes/a.txt', { content: 'again' })).toMatchObject({
      status: 409,
      body: { error: { code: 'ALREADY_EXISTS' } },
    });
    const read = await call<FileBody>('GET', 'files/workspace/notes/a.txt');
    expect(read).toMatchObject({ status: 200, body: { content: 'hello', encoding: 'utf-8', size: 5 } });
    expect((await call<FileBody>('GET', 'files/notes/a.txt?encoding=base64&offset=1&length=3')).body.content).toBe(
      Buffer.from('ell').toString('base64'),
    );
    expect(await call('PUT', 'files/notes/a.txt', { content: 'x' }, { 'if-match': '"other"' })).toMatchObject({
      status: 412,
      body: { error: { code: 'PRECONDITION_FAILED' } },
    });
    expect(
      await call('PUT', 'files/notes/a.txt', { content: 'new' }, { 'if-match': `"${read.body.etag}"` }),
    ).toMatchObject({ status: 200, body: { size: 3 } });
    expect(await call('PUT', 'files/none', { content: 'x' })).toMatchObject({ status: 404 });
    expect(await call('PATCH', 'files/notes/a.txt', { operation: 'append', content: ' end' })).toMatchObject({
      status: 200,
      body: { size: 7 },
    });
    expect(await call('DELETE', 'files/notes')).toMatchObject({ status: 400 });
    expect(await call('DELETE', 'files/notes/a.txt')).toMatchObject({
      status: 200,
      body: { path: '/workspace/notes/a.txt' },
    });
    expect(await call('GET', 'files/notes/a.txt')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
  });

  it('refuses what lies outside and what is no path', async () => {
    for (const path of [
      'files/..%2f..%2fetc%2fpasswd',
      'files/notes/..%2f..%2f..%2fetc/passwd',
      'files/%2fetc%2fpasswd',
      'files/.roost/tags.json',
    ]) {
      expect(await call('GET', path), path).toMatchObject({ status: 403, body: { error: { code: 'ACCESS_DENIED' } } });
    }
    expect(await call('GET', 'files/a%00b')).toMatchObject({ status: 400 });
    expect(await call('POST', `files/${'n'.repeat(256)}`, { content: '' })).toMatchObject({ status: 400 });
    expect(await call('POST', 'files/f', { content: 'x', mode: 1 })).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_ERROR' } },
    });
  });

  it('gives a browser the bytes of a file that looks compressed, or is', async () => {
    // `x ` is how zlib begins, too.
    for (const data of [Buffer.from('x = 1\n'), gzipSync('a backup'), randomBytes(5_000)]) {
      await call('POST', 'files/backup?overwrite=true', new Uint8Array(data), {
        'content-type': 'application/octet-stream',
      });
      const read = await bytes('files/backup', { 'accept-encoding': 'gzip, deflate, br' });
      expect(read.body.equals(data)).toBe(true);
      expect(read.headers.get('content-length')).toBe(String(data.length));
    }
  });

  it('carries large content both ways, whole and in ranges', async () => {
    const data = randomBytes(20 * 1024 * 1024);
    const created = await call('POST', 'files/large.png', new Uint8Array(data), {
      'content-type': 'application/octet-stream',
    });
    expect(created).toMatchObject({ status: 201, body: { size: data.length } });
    const whole = await bytes('files/large.png');
    expect(createHash('sha256').update(whole.body).digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    expect(whole.headers.get('content-type')).toBe('image/png');
    const etag = whole.headers.get('etag') ?? '';
    const part = await bytes('files/large.png', { range: 'bytes=1000000-1999999' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 1000000-1999999/${data.length}`);
    expect(part.body.equals(data.subarray(1_000_000, 2_000_000))).toBe(true);
    expect((await bytes('files/large.png', { range: `bytes=${data.length}-` })).status).toBe(416);
    expect((await bytes('files/large.png', { 'if-none-match': etag })).status).toBe(304);
    expect(await call('GET', 'files/large.png?encoding=base64')).toMatchObject({ status: 413 });
    expect((await call<FileBody>('GET', 'files/large.png?encoding=base64&length=2000000')).body.content).toHaveLength(
      2_666_668,
    );
  });

  it('gives a streamed POST its first answer again for the same key and bytes, and refuses other bytes', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'idempotency-key': 'stream-1' };
    const large = new Uint8Array(200_000).fill(7);
    const first = await call('POST', 'files/once.bin', large, headers);
    expect(first.status).toBe(201);
    const again = await call('POST', 'files/once.bin', large, headers);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    const other = await call('POST', 'files/once.bin', large.slice(1), headers);
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await bytes('files/once.bin')).body).toEqual(Buffer.from(large));
  });

  it('takes a text of megabytes in JSON', async () => {
    const content = 'ü"\\\n'.repeat(500_000);
    expect(await call('POST', 'files/big.txt', { content })).toMatchObject({ status: 201 });
    expect((await call<FileBody>('GET', 'files/big.txt')).body.content === content).toBe(true);
  });

  it('makes, lists and deletes directories', async () => {
    expect(await call('POST', 'directories/d/e', { recursive: true })).toMatchObject({
      status: 201,
      body: { path: '/workspace/d/e' },
    });
    expect(await call('POST', 'directories/d', {})).toMatchObject({ status: 409 });
    await call('POST', 'files/d/f', { content: '' });
    expect((await call<ListBody>('GET', 'directories/d')).body.entries.map(({ name, type }) => [name, type])).toEqual([
      ['e', 'directory'],
      ['f', 'file'],
    ]);
    const page = await call<ListBody>('GET', 'directories/d?limit=1');
    expect(
      (await call<ListBody>('GET', `directories/d?limit=1&cursor=${page.body.next_cursor ?? ''}`)).body.entries[0]
        ?.name,
    ).toBe('f');
    for (const root of ['directories', 'directories/'])
      expect((await call<ListBody>('GET', root)).body.entries.some(({ name }) => name === 'd')).toBe(true);
    expect(await call('DELETE', 'directories/d')).toMatchObject({ status: 409 });
    expect(await call('DELETE', 'directories/d?recursive=true')).toMatchObject({ status: 200 });
  });

  it('returns and changes metadata', async () => {
    await call('POST', 'files/m', { content: 'abc' });
    expect(await call('PATCH', 'metadata/m', { permissions: '600', tags: ['x'] })).toMatchObject({
      status: 200,
      body: { permissions: '600', tags: ['x'], owner: 'agent' },
    });
    expect(await call('GET', 'metadata/m')).toMatchObject({
      status: 200,
      body: { type: 'file', size: 3, tags: ['x'] },
    });
    expect(await call('PATCH', 'metadata/m', { owner: 'root' })).toMatchObject({ status: 403 });
  });

  it('copies, moves, deletes and searches', async () => {
    await call('POST', 'files/s/one.ts', { content: 'first\nconst answer = 42;\n' });
    expect(
      (await call<ResultsBody>('POST', 'operations/copy', { source: 's', destination: 't' })).body.results,
    ).toMatchObject([{ success: true }]);
    const moved = await call<ResultsBody>('POST', 'operations/move', {
      operations: [
        { source: 't/one.ts', destination: 't/two.ts' },
        { source: 'no', destination: 'x' },
      ],
    });
    expect(moved.body.results.map(({ success, error }) => error?.code ?? success)).toEqual([true, 'NOT_FOUND']);
    const found = await call<ResultsBody>('POST', 'operations/search', {
      pattern: 'answer\\s*=',
      content_search: true,
      filePattern: '*.ts',
    });
    expect(found.body.results.map(({ path }) => path)).toEqual(['/workspace/s/one.ts', '/workspace/t/two.ts']);
    expect(
      (await call<ResultsBody>('POST', 'operations/delete', { paths: ['s', 't'], recursive: true })).body.results.every(
        ({ success }) => success,
      ),
    ).toBe(true);
    expect((await call<ResultsBody>('POST', 'operations/search', { query: '*.ts' })).body.total).toBe(0);
  });

  it('packs and unpacks archives', async () => {
    await call('POST', 'files/p/q/a', { content: 'A' });
    for (const format of ['tar.gz', 'zip']) {
      const packed = await bytes(`archive/p?format=${format}`);
      expect(packed.status).toBe(200);
      const unpacked = await call('POST', `archive/copy-${format}?format=${format}`, new Uint8Array(packed.body), {
        'content-type': 'application/octet-stream',
      });
      expect(unpacked).toMatchObject({ status: 201, body: { files: 1, bytes: 1 } });
      expect((await call<FileBody>('GET', `files/copy-${format}/q/a`)).body.content).toBe('A');
    }
    expect(
      await call('POST', 'archive/x', new Uint8Array([1, 2, 3]), { 'content-type': 'application/gzip' }),
    ).toMatchObject({ status: 400 });
  });

  it('shows no file of another account’s agent, and the network log of one’s own', async () => {
    const other = base.replace(/[0-9a-f]{12}\//, '000000000000/');
    expect((await roost.api('GET', `${other}/directories`)).status).toBe(404);
    expect(await roost.api('GET', base.replace('filesystem', 'network/log'))).toMatchObject({
      status: 200,
      body: { entries: [] },
    });
  });
});
