import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetch } from 'undici';
import {
  checkUrl,
  classifyAddress,
  guardedAgents,
  guardedConnect,
  guardedDispatcher,
  guardedRequest,
  type GuardPolicy,
  isBlocked,
  localDevelopment,
  publicHttps,
} from './index.js';
import { get } from 'node:http';

let server: Server;
let port: number;
let hits = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    hits += 1;
    if (request.url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.2/' }).end();
    else if (request.url === '/endless') {
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    } else if (request.url === '/hanging') response.writeHead(200).write('x');
    else response.end(request.headers.host);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => server.close());

/** A name server that gives the next answer at each question. */
function answers(...turns: string[][]): GuardPolicy {
  let turn = 0;
  // Loopback alone is ever dialled here, also if the guard were broken.
  return {
    schemes: ['http'],
    allowedRanges: ['127.0.0.1/32'],
    resolve: () => Promise.resolve(turns[Math.min(turn++, turns.length - 1)] ?? []),
  };
}

describe('addresses', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['169.254.169.254', 'metadata'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['168.63.129.16', 'metadata'],
    ['0.0.0.0', 'unspecified'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['64:ff9b:1::8.8.8.8', 'nat64-local'],
    ['::127.0.0.1', 'ipv4-compatible'],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:1::1', 'teredo'],
    ['fe80::1%eth0', 'zone'],
    ['fd00:ec2::254', 'metadata'],
    ['fc00::1', 'uniqueLocal'],
    ['2606:4700::1111', 'public'],
    ['2606:4700::5efe:10.0.0.1', 'private'],
    ['2001:db8::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['0177.0.0.1', 'invalid'],
    ['127.1', 'invalid'],
    ['1.1.1.1', 'public'],
    ['', 'invalid'],
  ])('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });
});

describe('a URL at registration', () => {
  it.each([
    'http://example.com/',
    'https://user@example.org/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://localhost/',
    'https://a.localhost./',
    'https://printer/',
    'https://db.internal/',
    'https://example.org:22/',
    'https://exa\tmple.org/',
    'ftp://example.org/',
    'nonsense',
    'https://169.254.169.254/latest',
  ])('refuses %s', (url) => {
    expect(() => checkUrl(url, publicHttps)).toThrow(/^url: /);
  });

  it.each([
    'https://hooks.slack.com/x',
    'https://example.org:8443/a?b#c',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://bücher.de/',
  ])('takes %s', (url) => {
    expect(checkUrl(url, publicHttps).protocol).toBe('https:');
  });

  it('lets a laptop call itself, and nothing else that is private', () => {
    expect(checkUrl('http://localhost:3000/', localDevelopment).host).toBe('localhost:3000');
    expect(() => checkUrl('http://10.0.0.1/', localDevelopment)).toThrow(/private/);
    expect(() => checkUrl('http://169.254.169.254/', { ...localDevelopment, allowedRanges: ['0.0.0.0/0'] })).toThrow(
      /metadata/,
    );
  });
});

describe('a guarded connection', () => {
  it('keeps the name for the Host header and dials the checked address', async () => {
    const policy = answers(['127.0.0.1']);
    const dispatcher = guardedDispatcher(policy);
    const answer = await guardedRequest(
      { url: `http://hook.example.org:${port}/`, timeoutMs: 20_000, maxResponseBytes: 100 },
      policy,
      dispatcher,
    );
    expect(answer).toMatchObject({ status: 200, isTruncated: false });
    expect(answer.body.toString()).toBe(`hook.example.org:${port}`);
    await dispatcher.close();
  });

  it.each([
    ['a bad answer among good ones', [['127.0.0.1', '127.0.0.2']]],
    ['the second answer of a rebinding server', [['127.0.0.2'], ['127.0.0.1']]],
  ])('is refused for %s, before anything is sent', async (_, turns) => {
    const before = hits;
    const policy = answers(...turns);
    const dispatcher = guardedDispatcher(policy);
    const error: unknown = await guardedRequest(
      { url: `http://hook.example.org:${port}/`, timeoutMs: 20_000, maxResponseBytes: 100 },
      policy,
      dispatcher,
    ).catch((caught: unknown) => caught);
    expect(isBlocked(error)).toBe(true);
    expect(hits).toBe(before);
    await dispatcher.close();
  });

  it('asks the name server once per connection', async () => {
    const policy = answers(['127.0.0.1'], ['127.0.0.2']);
    const socket = await guardedConnect({ host: 'hook.example.org', port }, policy);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('refuses an address written as the host, with every client', async () => {
    const strict: GuardPolicy = { schemes: ['http'] };
    await expect(guardedConnect({ host: '127.0.0.1', port }, strict)).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    const dispatcher = guardedDispatcher(strict);
    const error: unknown = await fetch(`http://127.0.0.1:${port}/`, { dispatcher }).catch((caught: unknown) => caught);
    expect(isBlocked(error)).toBe(true);
    await dispatcher.close();
    expect(() => get({ host: '127.0.0.1', port, agent: guardedAgents(strict).http })).toThrow(/loopback/);
  });

  it('gives redirects back instead of following them', async () => {
    const policy = answers(['127.0.0.1']);
    const dispatcher = guardedDispatcher(policy);
    const answer = await guardedRequest(
      { url: `http://a.example.org:${port}/redirect`, timeoutMs: 20_000, maxResponseBytes: 100 },
      policy,
      dispatcher,
    );
    expect(answer.status).toBe(302);
    await dispatcher.close();
  });

  it('reads no more than its limit', async () => {
    const policy = answers(['127.0.0.1']);
    const dispatcher = guardedDispatcher(policy);
    const answer = await guardedRequest(
      { url: `http://a.example.org:${port}/endless`, timeoutMs: 20_000, maxResponseBytes: 65_536 },
      policy,
      dispatcher,
    );
    expect(answer.body).toHaveLength(65_536);
    expect(answer.isTruncated).toBe(true);
    await dispatcher.destroy();
  });

  it('gives up an answer that is not complete in time, and its connection with it', async () => {
    const policy = answers(['127.0.0.1']);
    const dispatcher = guardedDispatcher(policy);
    const closed = new Promise((done) =>
      server.once('request', ({ socket }: IncomingMessage) => socket.once('close', done)),
    );
    const call = { url: `http://a.example.org:${port}/hanging`, timeoutMs: 2_000, maxResponseBytes: 100 };
    await expect(guardedRequest(call, policy, dispatcher)).rejects.toMatchObject({ name: 'TimeoutError' });
    await closed;
    await dispatcher.close();
  });

  it('sends nothing when the connection comes after the time is up', async () => {
    let answer: (addresses: string[]) => void = () => undefined;
    const policy: GuardPolicy = {
      ...localDevelopment,
      resolve: () => new Promise((resolve) => (answer = resolve)),
    };
    const dispatcher = guardedDispatcher(policy, { connections: 1 });
    const call = { url: `http://a.example.org:${port}/`, maxResponseBytes: 100 };
    const before = hits;
    await expect(guardedRequest({ ...call, timeoutMs: 50 }, policy, dispatcher)).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const next = guardedRequest({ ...call, timeoutMs: 4_000 }, policy, dispatcher);
    const answering = setInterval(() => answer(['127.0.0.1']), 10);
    await expect(next).resolves.toMatchObject({ status: 200 });
    clearInterval(answering);
    expect(hits).toBe(before + 1);
    await dispatcher.destroy();
  });
});
