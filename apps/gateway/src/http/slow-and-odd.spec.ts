import { startRoost, type TestRoost } from '#lib/testing';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

interface ErrorBody {
  success: boolean;
  error: { code: string };
  meta: { request_id: string };
}

/** Stands for a proxy that the gateway trusts. */
const PROXY = '127.0.0.2';
const MAX_CONNECTIONS = 12;
const MAX_REQUESTS = 30;
const SLOW_SECONDS = 1;

let roost: TestRoost;
const open = new Set<Socket>();
beforeAll(async () => {
  roost = await startRoost({
    services: ['gateway'],
    env: {
      ROOST_TRUSTED_PROXIES: PROXY,
      ROOST_MAX_CONNECTIONS_PER_ADDRESS: String(MAX_CONNECTIONS),
      ROOST_ADDRESS_LIMIT_PER_MINUTE: String(MAX_REQUESTS),
      ROOST_SLOW_REQUEST_SECONDS: String(SLOW_SECONDS),
    },
  });
});
afterEach(() => {
  for (const socket of open) socket.destroy();
  open.clear();
});
afterAll(async () => roost?.stop());

async function dial(localAddress: string = PROXY): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(roost.url).port), localAddress });
  // What the other side does with the connection is what a test asserts.
  socket.on('error', () => undefined);
  open.add(socket);
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side closes. */
async function rest(socket: Socket) {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  if (!socket.closed) await once(socket, 'close');
  const [head = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: body.join('\r\n\r\n') };
}

async function send(text: string) {
  const socket = await dial();
  socket.write(text);
  return rest(socket);
}

let caller = 0;
/** A request head of a caller whom no other test is. */
const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, 'host: x', `x-forwarded-for: 198.51.100.${(caller += 1)}`, ...headers, '', ''].join('\r\n');
const bearer = () => `authorization: Bearer ${roost.apiKey}`;

const AGENT = '/v1/agent/01890000-0000-7000-8000-000000000000';
const CLOSE = 'connection: close';

describe('requests that are odd', () => {
  it.each([
    ['an unknown method', () => head('FOO /v1/agent/list', CLOSE), 405, 'METHOD_NOT_ALLOWED'],
    ['no HTTP', () => 'hello\r\n\r\n', 400, 'VALIDATION_ERROR'],
    ['another protocol', () => '\x16\x03\x01\x02\x00\x01\x00', 400, 'VALIDATION_ERROR'],
    ['U+0000 in a header', () => head('GET /v1/agent/list', 'x-a: a\0b', CLOSE), 400, 'VALIDATION_ERROR'],
    ['a huge header', () => head('GET /v1/agent/list', `x-a: ${'a'.repeat(20_000)}`, CLOSE), 431, 'HEADERS_TOO_LARGE'],
    ['a huge address', () => head(`GET /${'a'.repeat(20_000)}`, CLOSE), 431, 'HEADERS_TOO_LARGE'],
    ['a long id', () => head(`GET /v1/agent/${'a'.repeat(9_000)}`, bearer(), CLOSE), 400, 'VALIDATION_ERROR'],
    ['no percent encoding', () => head('GET /v1/agent/%zz', bearer(), CLOSE), 400, 'VALIDATION_ERROR'],
    ['bytes that are no UTF-8', () => head('GET /v1/agent/%ff', bearer(), CLOSE), 400, 'VALIDATION_ERROR'],
    [
      'two lengths',
      () => head('POST /auth/login', 'content-length: 1', 'transfer-encoding: chunked', CLOSE),
      400,
      'VALIDATION_ERROR',
    ],
    ['PROPFIND', () => head('PROPFIND /v1/agent/list', CLOSE), 405, 'METHOD_NOT_ALLOWED'],
    ['TRACE', () => head('TRACE /v1/agent/list', CLOSE), 405, 'METHOD_NOT_ALLOWED'],
    [
      'PUT where there is none',
      () => head(`PUT ${AGENT}/messages`, CLOSE, 'content-length: 0'),
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['PROPFIND of nothing', () => head('PROPFIND /nothing', CLOSE), 404, 'NOT_FOUND'],
    ['DELETE of nothing', () => head('DELETE /v1/nothing', CLOSE), 404, 'NOT_FOUND'],
  ])('%s is answered in the error shape', async (_name, text, status, code) => {
    const answer = await send(text());
    expect(answer.status, answer.body).toBe(status);
    const body = JSON.parse(answer.body) as ErrorBody;
    expect(body).toMatchObject({
      success: false,
      error: { code },
      meta: { request_id: expect.stringMatching(/^req_/) },
    });
    if (status === 405 && code === 'METHOD_NOT_ALLOWED' && !text().startsWith('FOO'))
      expect(answer.head).toContain('allow: ');
  });

  it('an upload that its path refuses is answered, and one that is broken off harms nobody', async () => {
    const url = `${roost.url}/v1/agent/no-id/filesystem/files/a`;
    const headers = { authorization: `Bearer ${roost.apiKey}`, 'content-type': 'application/octet-stream' };
    const begun = performance.now();
    const refused = await fetch(url, { method: 'POST', headers, body: new Uint8Array(8 * 2 ** 20) });
    expect([refused.status, ((await refused.json()) as ErrorBody).error.code]).toEqual([404, 'NOT_FOUND']);
    expect(performance.now() - begun).toBeLessThan(4_000);
    const { port } = new URL(roost.url);
    const upload = head(
      'POST /v1/agent/no-id/filesystem/files/a',
      bearer(),
      'content-length: 8388608',
      'content-type: x/y',
    );
    for (let n = 0; n < 5; n++) {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(upload + 'x'.repeat(100_000));
      await once(socket, 'data');
      socket.destroy();
    }
    expect((await fetch(`${roost.url}/health/live`)).status).toBe(200);
  });

  it('OPTIONS names the methods, HEAD is as GET without its body', async () => {
    const options = await send(head(`OPTIONS ${AGENT}/filesystem/files/a`, CLOSE));
    expect([options.status, options.head]).toEqual([
      204,
      expect.stringContaining('allow: delete, get, head, options, patch, post, put'),
    ]);
    expect((await send(head('HEAD /openapi.json', CLOSE))).status).toBe(200);
    const refused = await send(head('HEAD /v1/agent/list', CLOSE));
    expect([refused.status, refused.body]).toEqual([401, '']);
  });

  it.each(['null', '[]', '5', '"x"', 'true'])('a body of %s is refused', async (body) => {
    const answer = await roost.api<ErrorBody>('POST', `${AGENT}/pause`, body, { 'content-type': 'application/json' });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('requests that do not come', () => {
  const started = (socket: Socket) => {
    const begun = performance.now();
    return rest(socket).then((answer) => ({ ...answer, ms: performance.now() - begun }));
  };

  it.each([
    ['half a head', () => 'POST /auth/login HTTP/1.1\r\nhost: x\r\n'],
    ['half a body', () => `${head('POST /auth/login', 'content-type: application/json', 'content-length: 100')}{"a":`],
    ['half a stream', () => head('PUT /v1/agent/list', bearer(), 'content-type: x/y', 'content-length: 100')],
    [
      'a chunk without end',
      () =>
        `${head('POST /v1/webhooks/triggers/01890000-0000-7000-8000-000000000000', 'transfer-encoding: chunked')}5\r\nab`,
    ],
  ])('%s is answered with REQUEST_TIMEOUT or an error before, and closed', async (_name, text) => {
    const socket = await dial();
    socket.write(text());
    const answer = await started(socket);
    expect([405, 408]).toContain(answer.status);
    expect(JSON.parse(answer.body)).toMatchObject({ success: false });
  });

  it('a body that drips is cut off, one that makes progress is not', async () => {
    const dripping = await dial();
    dripping.write(head('POST /auth/login', 'content-type: application/json', 'content-length: 60000'));
    const drip = setInterval(() => dripping.write(' '), 50);
    const cut = await started(dripping);
    clearInterval(drip);
    expect([cut.status, JSON.parse(cut.body)]).toEqual([408, expect.objectContaining({ success: false })]);

    const flowing = await dial();
    const steps = 30;
    const bytes = 2_000;
    const type = 'content-type: application/json';
    flowing.write(head('POST /auth/login', type, CLOSE, `content-length: ${steps * bytes}`));
    const ended = started(flowing);
    for (let step = 0; step < steps; step++) {
      flowing.write(' '.repeat(bytes));
      await sleep((SLOW_SECONDS * 3_000) / steps);
    }
    const answer = await ended;
    expect([answer.status, answer.ms > SLOW_SECONDS * 2_000]).toEqual([400, true]);
  });
});

describe('one address', () => {
  it('holds so many connections, and more once it closed some', async () => {
    const dialled = await Promise.all(Array.from({ length: MAX_CONNECTIONS + 4 }, () => dial('127.0.0.3')));
    const refused = await rest(dialled.at(-1) as Socket);
    expect([refused.status, (JSON.parse(refused.body) as ErrorBody).error.code]).toEqual([429, 'RATE_LIMITED']);
    // A proxy that is trusted speaks for many, and others are not hindered.
    expect((await send(head('GET /openapi.json', CLOSE))).status).toBe(200);
    for (const socket of dialled) socket.destroy();
    await expect
      .poll(async () => {
        const socket = await dial('127.0.0.3');
        socket.write(head('GET /openapi.json', CLOSE));
        return (await rest(socket)).status;
      })
      .toBe(200);
  });

  it('asks so much without a good key, an IPv6 network as one; a good key goes on', async () => {
    const ask = (address: string, ...headers: string[]) =>
      send(
        ['GET /auth/fetch_user HTTP/1.1', 'host: x', CLOSE, `x-forwarded-for: ${address}`, ...headers, '', ''].join(
          '\r\n',
        ),
      );
    const unknown = `authorization: Bearer roost_sk_${'x'.repeat(40)}`;
    expect((await ask('2001:db8::1', bearer())).status).toBe(200);
    const statuses = new Map<number, number>();
    // Twice as many: a minute may turn in between.
    for (let n = 0; n < MAX_REQUESTS * 2 + 1; n++) {
      const { status } = await ask(`2001:db8::${n.toString(16)}`, n % 2 ? unknown : 'x-a: b');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses.keys()].sort()).toEqual([401, 429]);
    expect(statuses.get(401)).toBeLessThanOrEqual(MAX_REQUESTS * 2);
    expect((await ask('2001:db8::ffff', bearer())).status).toBe(200);
    expect((await ask('2001:db8:0:1::1')).status).toBe(401);
  });
});
