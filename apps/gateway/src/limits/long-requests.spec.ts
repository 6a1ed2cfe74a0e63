import { EventEmitter } from 'node:events';
import { newAccount, startRoost, type TestRoost } from '#lib/testing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointDefinition } from '../http/endpoint.js';
import { LongRequests } from './long-requests.js';

const limits = { ROOST_ACCOUNT_WAITS: 3, ROOST_ACCOUNT_TRANSFERS: 2, ROOST_ACCOUNT_LARGE_BODIES: 1 };

interface Asked {
  method: string;
  headers?: Record<string, string>;
  query?: Record<string, unknown>;
  endpoint?: Partial<EndpointDefinition>;
}

function admit(long: LongRequests, account: string, { method, headers = {}, query = {}, endpoint = {} }: Asked) {
  const raw = Object.assign(new EventEmitter(), { destroyed: false });
  const request = { method, headers, query, routeOptions: { config: { endpoint } } };
  long.admit(account, request as unknown as FastifyRequest, { raw } as unknown as FastifyReply);
  return () => raw.emit('close');
}

const STREAM = { accepts: ['json', 'stream'] } as const;
const length = (bytes: number, type: string) => ({ 'content-length': String(bytes), 'content-type': type });
const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

describe('requests that take long', () => {
  it.each<[string, number, Asked]>([
    ['a wait', 3, { method: 'GET', query: { wait: '30' } }],
    ['a wait for its head', 3, { method: 'HEAD', query: { wait: '30' } }],
    ['a download', 2, { method: 'GET', endpoint: { isDownload: true } }],
    ['a streamed body', 2, { method: 'POST', headers: length(2_000_000, BYTES), endpoint: STREAM }],
    [
      'a streamed body of unknown length',
      2,
      { method: 'PUT', headers: { 'transfer-encoding': 'chunked' }, endpoint: STREAM },
    ],
    ['a body that does not fit a packet', 2, { method: 'POST', headers: length(100_000, JSON_TYPE) }],
    ['a large JSON body', 1, { method: 'POST', headers: length(2_000_000, JSON_TYPE) }],
    ['JSON of unknown length', 1, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } }],
    [
      'large JSON where streams are taken',
      1,
      { method: 'POST', headers: length(2_000_000, JSON_TYPE), endpoint: STREAM },
    ],
  ])('%s: %s of an account at once, whatever another does, until one is closed', (_what, limit, asked) => {
    const long = new LongRequests(limits);
    const open = Array.from({ length: limit }, () => admit(long, 'a', asked));
    expect(() => admit(long, 'a', asked)).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        retryAfterSeconds: 1,
        details: [expect.objectContaining({ reason: 'too_many_open', limit })],
      }),
    );
    expect(() => admit(long, 'b', asked)).not.toThrow();
    open[0]?.();
    expect(() => admit(long, 'a', asked)).not.toThrow();
  });

  it.each<[string, Asked]>([
    ['a read', { method: 'GET', query: {} }],
    ['a wait for nothing', { method: 'GET', query: { wait: '0' } }],
    ['a short body', { method: 'POST', headers: length(60_000, JSON_TYPE) }],
    ['no body', { method: 'DELETE' }],
  ])('%s takes no slot', (_what, asked) => {
    const long = new LongRequests(limits);
    for (let n = 0; n < 100; n += 1) admit(long, 'a', asked);
  });
});

describe('half-sent bodies', () => {
  let roost: TestRoost;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'], env: { ROOST_ACCOUNT_TRANSFERS: '2' } });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await roost?.stop();
  });

  async function halfSend(key: string): Promise<Socket> {
    const { hostname, port } = new URL(roost.url);
    const socket = connect(Number(port), hostname);
    sockets.push(socket.on('error', () => undefined));
    await once(socket, 'connect');
    const head = [`authorization: Bearer ${key}`, 'content-type: application/json', 'content-length: 100000'];
    socket.write(['POST /v1/agent/create HTTP/1.1', 'host: x', ...head, '', '{"name":"'].join('\r\n'));
    return socket;
  }

  const answer = async (socket: Socket) => String((await once(socket, 'data'))[0]);
  const large = { name: 'a', description: 'x'.repeat(100_000) };

  it('fill what their account has and no more, and are forgotten when their connection closes', async () => {
    const half = [await halfSend(roost.apiKey), await halfSend(roost.apiKey), await halfSend(roost.apiKey)];
    // Which of them came first is not promised.
    const [at, refused] = await Promise.race(half.map(async (socket, index) => [index, await answer(socket)] as const));
    const first = half.find((_socket, index) => index !== at);
    expect(refused).toMatch(/^HTTP\/1.1 429 /);
    expect(refused).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(refused).toContain('"limit":2');
    const other = await newAccount(roost);
    const asOther = await roost.api('POST', '/v1/agent/create', large, { authorization: `Bearer ${other.apiKey}` });
    expect(asOther.status).not.toBe(429);
    // A small request takes none of them.
    expect((await roost.api('GET', '/auth/platform_keys')).status).toBe(200);
    first?.destroy();
    await expect.poll(async () => (await roost.api('POST', '/v1/agent/create', large)).status).not.toBe(429);
  });
});
