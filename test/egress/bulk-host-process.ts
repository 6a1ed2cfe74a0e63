import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { type Authority, Leaves } from '../../apps/egress-proxy/src/tls/leaves.js';

/** What a process is told to serve: a name, with a certificate of an authority. */
export interface BulkHostStart {
  authority: Authority;
  name: string;
}

const part = Buffer.alloc(256 * 1024, 'no secret is in here. ');

function* parts(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= part.length) yield left < part.length ? part.subarray(0, left) : part;
}

async function start({ authority, name }: BulkHostStart): Promise<number> {
  const context = await new Leaves(authority).of(name);
  const server = createServer({ SNICallback: (_, give) => give(null, context) }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://x');
    if (request.method !== 'GET') {
      let received = 0;
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      return void request.once('end', () => response.end(String(received)));
    }
    const bytes = Number(url.searchParams.get('bytes'));
    const type = url.searchParams.get('type') ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': bytes });
    pipeline(Readable.from(parts(bytes), { objectMode: false, highWaterMark: part.length }), response, () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => void start(message as BulkHostStart).then((port) => process.send?.(port)));
