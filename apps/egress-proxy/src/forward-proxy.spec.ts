import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EgressPolicy } from '#lib/contracts';
import { plainProxy } from '../test/plain-proxy.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace of a command, on its plain HTTP requests', () => {
  let server: Server;
  let url: string;
  const received: IncomingHttpHeaders[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      received.push(request.headers);
      response.end('ok');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => server?.close());

  /** What the server was sent, with these headers of the program. */
  async function sent(policy: EgressPolicy, user: string, more = ''): Promise<IncomingHttpHeaders> {
    const proxy = plainProxy({
      policy: () => policy,
      guard: { schemes: ['http', 'https'], allowedRanges: ['127.0.0.0/8'] },
    });
    const [near, far] = duplexPair();
    proxy.accept(near);
    const credentials = Buffer.from(`${user}:`).toString('base64');
    far.write(
      `GET ${url} HTTP/1.1\r\nhost: x\r\nproxy-authorization: Basic ${credentials}\r\n${more}connection: close\r\n\r\n`,
    );
    expect(await text(far)).toContain('ok');
    return received.at(-1) ?? {};
  }

  it('is there where the owner allows it, and the credentials that brought it are not', async () => {
    const headers = await sent({ mode: 'public', traceContext: true }, TRACE);
    expect(headers.traceparent).toBe(TRACE);
    expect(headers['proxy-authorization']).toBeUndefined();
  });

  it('is not there by default', async () => {
    expect((await sent({ mode: 'public' }, TRACE)).traceparent).toBeUndefined();
  });

  it('is the program’s own where it names one, and none where what is named is no trace', async () => {
    const own = '00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01';
    const allowed = { mode: 'public', traceContext: true } as const;
    expect((await sent(allowed, TRACE, `traceparent: ${own}\r\n`)).traceparent).toBe(own);
    for (const user of ['', 'root', `${TRACE}x`, 'x\r\nevil: 1'])
      expect((await sent(allowed, user)).traceparent, user).toBeUndefined();
  });
});
