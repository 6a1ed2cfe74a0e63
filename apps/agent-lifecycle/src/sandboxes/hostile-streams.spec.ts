import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '#lib/testing';
import { EgressLog } from './egress/egress-log.js';
import { EgressProxy } from './egress/egress-proxy.js';
import { SandboxConnection } from './sandbox-connection.js';

/** An error that nobody handles ends the process, and vitest fails the run for it: reaching the last line is half the test. */
describe('the line of a sandbox', () => {
  it('outlives streams that are given up in the moment they are opened, thousands of them', async () => {
    const [near, far] = duplexPair();
    const accepted: Duplex[] = [];
    const link = new SandboxConnection(near, {
      natsUrl: 'nats://127.0.0.1:1',
      mintCredentials: () => Promise.resolve('none'),
      onProxyConnection: (stream) => accepted.push(stream.resume()),
    });
    const client = connectHttp2('http://host.roost.internal', { createConnection: () => far });
    client.on('error', () => undefined);
    const open = (authority: string) => {
      const stream = client.request({ ':method': 'CONNECT', ':authority': authority });
      stream.on('error', () => undefined);
      return stream;
    };
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 30; count += 1) {
        const name = ['bus.roost.internal:4222', 'proxy.roost.internal:3128', 'nowhere:1'][count % 3] ?? '';
        open(name).close(constants.NGHTTP2_CANCEL);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [headers] = (await once(open('proxy.roost.internal:3128'), 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    const before = accepted.length;
    client.destroy();
    link.close();
    expect(before).toBeGreaterThan(0);
  });

  it('signs and dials for a daemon that comes again and again only so often', async () => {
    const [near, far] = duplexPair();
    let signed = 0;
    const mintCredentials = () => {
      signed += 1;
      return Promise.reject(new Error('none'));
    };
    const link = new SandboxConnection(near, {
      natsUrl: 'nats://127.0.0.1:1',
      mintCredentials,
      onProxyConnection: () => {},
    });
    const client = connectHttp2('http://host.roost.internal', { createConnection: () => far });
    const statuses = new Set<unknown>();
    for (let count = 0; count < 300; count += 1) {
      const stream = client.request({ ':method': 'CONNECT', ':authority': 'bus.roost.internal:4222' });
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      statuses.add(headers[':status']);
      stream.destroy();
    }
    client.destroy();
    link.close();
    expect(signed).toBeLessThanOrEqual(2 * 120);
    expect([...statuses]).toEqual([502, 429]);
  });
});

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

  const proxy = () =>
    new EgressProxy({
      policy: () => ({ mode: 'public' }),
      guard: { schemes: ['http', 'https'], allowedRanges: ['127.0.0.0/8'] },
      onAccess: () => undefined,
    });
  const ask = async (through: EgressProxy, request: string) => {
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

describe('the network log', () => {
  it('keeps the first entries of a flood, in one write, and no more of them than its limit', async () => {
    const log = new EgressLog(temporaryFolder());
    const entry = (port: number) => ({
      at: new Date(),
      method: 'GET',
      host: 'example.org',
      port,
      verdict: 'refused' as const,
      reason: null,
      bytesSent: 0,
      bytesReceived: 0,
      durationMs: 0,
    });
    await Promise.all(Array.from({ length: 5_000 }, (_, port) => log.append('agent', entry(port))));
    await log.append('other', entry(1));
    expect((await log.latest('other', 10)).length).toBe(1);
    const retained = await log.latest('agent', 10_000);
    expect(retained.length).toBeGreaterThanOrEqual(500);
    expect(retained.length).toBeLessThanOrEqual(1_000);
  });
});
