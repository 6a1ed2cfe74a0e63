import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '#lib/testing';
import { EgressLog } from './egress/egress-log.js';
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
