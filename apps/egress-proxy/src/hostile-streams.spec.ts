import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainProxy } from '../test/plain-proxy.js';
import type { ForwardProxy } from './forward-proxy.js';

/** An error that nobody handles ends the process, and vitest fails the run for it: reaching the last line is half the test. */
describe('the egress proxy', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    // Answers HTTP as no correct server does: the path selects what it sends.
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        const [, status = ''] = /^GET \/(\S+)/.exec(data.toString()) ?? [];
        socket.end(`HTTP/1.1 ${decodeURIComponent(status)}\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok`);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server?.close());

  const proxy = () => plainProxy({ guard: { schemes: ['http', 'https'], allowedRanges: ['127.0.0.0/8'] } });
  const ask = async (through: ForwardProxy, request: string) => {
    const [near, far] = duplexPair();
    through.accept(near);
    far.write(request);
    return text(far);
  };
  const get = (status: string) =>
    `GET http://127.0.0.1:${port}/${encodeURIComponent(status)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;

  it.each(['099 Odd', '000 None', '101 Switching Protocols', '100 Continue', '999 Far', '200 é\u0001', '200'])(
    'survives an answer with the status line "%s"',
    async (status) => {
      const through = proxy();
      expect(await ask(through, get(status))).toMatch(/^HTTP\/1\.1 (101|200|502|999) /);
      expect(await ask(through, get('200 OK'))).toContain('ok');
    },
  );

  it('answers so many requests of one agent in a second and refuses more', async () => {
    const [near, far] = duplexPair();
    proxy().accept(near);
    far.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
    // The target is none, which is answered; what is over the rate ends the connection.
    const statuses = (await text(far)).match(/^HTTP\/1\.1 \d+/gm) ?? [];
    expect(statuses.length).toBeGreaterThan(0);
    expect(statuses.length).toBeLessThanOrEqual(2 * 200 + 1);
  });
});
