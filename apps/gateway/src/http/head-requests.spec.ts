import compress from '@fastify/compress';
import Fastify, { type FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { endHeadBodies } from './head-requests.js';

const PART = Buffer.alloc(64 * 1024);
const PARTS = 200;

let server: FastifyInstance;
afterEach(() => server.close());

it.each(['identity', 'gzip'])('HEAD reads nothing of a download, and says what GET would (%s)', async (encoding) => {
  let read = 0;
  let isClosed = false;
  const download = () =>
    Readable.from(
      (function* () {
        for (; read < PARTS; read += 1) yield PART;
      })(),
      { objectMode: false },
    ).once('close', () => (isClosed = true));
  server = Fastify();
  endHeadBodies(server);
  await server.register(compress, { encodings: ['gzip'], threshold: 2_048 });
  server.get('/file', (_request, reply) =>
    reply
      .header('etag', '"a"')
      .type('application/octet-stream')
      .header('content-length', PART.length * PARTS)
      .send(download()),
  );
  server.get('/text', (_request, reply) => reply.send('x'.repeat(5_000)));
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  const headers = { 'accept-encoding': encoding };
  const asked = await fetch(`${address}/file`, { method: 'HEAD', headers });
  expect([asked.status, asked.headers.get('etag'), await asked.text()]).toEqual([200, '"a"', '']);
  await expect.poll(() => isClosed).toBe(true);
  expect(read).toBeLessThan(10);
  const whole = await fetch(`${address}/file`, { headers });
  expect((await whole.arrayBuffer()).byteLength).toBe(PART.length * PARTS);
  expect((await fetch(`${address}/text`, { method: 'HEAD', headers })).status).toBe(200);
});
