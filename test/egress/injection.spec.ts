import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { EgressVerdict } from '#lib/contracts';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Leaves } from '../../apps/egress-proxy/src/tls/leaves.js';
import { type Egress, grant, newPlaceholder, startEgress, zone } from './egress-fixture.js';
import { type Hosts, startHosts } from './hosts.js';

let hosts: Hosts;
let egress: Egress;
let api: string;
beforeAll(async () => {
  hosts = await startHosts();
  egress = await startEgress(hosts);
  api = `api.${zone}:${hosts.port}`;
});
afterAll(async () => {
  await egress?.close();
  hosts?.close();
});

async function send(secure: TLSSocket, request: string): Promise<string> {
  secure.write(request.replaceAll('\n', '\r\n'), 'latin1');
  return text(secure.setEncoding('latin1'));
}
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\nhost: ${api}\nconnection: close\n${headers}\n`;
const tokenOf = ({ credential }: ReturnType<typeof grant>) => (credential.kind === 'bearer' ? credential.token : '');

describe('a placeholder', () => {
  it('becomes the secret on its way to its host, and the secret does not come back', async () => {
    const one = grant([api]);
    await egress.grant('a', [one]);
    const answer = await send(await egress.tls('a', api), get('/', `authorization: Bearer ${one.placeholder}\n`));
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(hosts.arrivals.at(-1)?.headers['authorization']).toBe(`Bearer ${tokenOf(one)}`);
    expect(answer).not.toContain(tokenOf(one));
    expect(answer).toContain('Bearer [roost: removed]');
    await until('the use is reported', () =>
      egress.uses.some(({ grantId, refused }) => grantId === one.id && !refused),
    );
  });

  it('inside of Basic, in a query and in a body where that is asked for', async () => {
    const one = grant([api], { placements: ['headers', 'query', 'body'] });
    await egress.grant('b', [one]);
    const basic = Buffer.from(`x-access-token:${one.placeholder}`).toString('base64');
    const body = JSON.stringify({ key: one.placeholder });
    await send(
      await egress.tls('b', api),
      `POST /?key=${one.placeholder} HTTP/1.1\nhost: ${api}\nconnection: close\nauthorization: Basic ${basic}\ncontent-length: ${body.length}\n\n${body}`,
    );
    expect(hosts.arrivals.at(-1)).toMatchObject({
      path: `/?key=${tokenOf(one)}`,
      headers: { authorization: `Basic ${Buffer.from(`x-access-token:${tokenOf(one)}`).toString('base64')}` },
      body: JSON.stringify({ key: tokenOf(one) }),
    });
  });

  it('is refused for another host, method, path or place, with a reason, and nothing is sent', async () => {
    const one = grant([`other.${zone}:${hosts.port}`]);
    const two = grant([api], { methods: ['GET'], pathPrefixes: ['/repos/acme'] });
    await egress.grant('c', [one, two]);
    const before = hosts.arrivals.length;
    const ask = async (request: string) => send(await egress.tls('c', api), request);
    const bearer = (placeholder?: string) => `authorization: Bearer ${placeholder}\n`;
    expect(await ask(get('/', bearer(one.placeholder)))).toMatch(/^HTTP\/1\.1 403[^]*may only be sent to other\./);
    expect(await ask(get('/repos/acme-other', bearer(two.placeholder)))).toMatch(/^HTTP\/1\.1 403[^]*paths below/);
    expect(await ask(get('/repos/acme/../x', bearer(two.placeholder)))).toMatch(/^HTTP\/1\.1 403/);
    expect(await ask(get(`/repos/acme?k=${two.placeholder}`))).toMatch(/^HTTP\/1\.1 403[^]*is in the query/);
    expect(await ask(get('/', bearer(newPlaceholder())))).toMatch(/^HTTP\/1\.1 403[^]*no secret of this agent/);
    expect(hosts.arrivals).toHaveLength(before);
    expect(await ask(get('/repos/acme/x', bearer(two.placeholder)))).toMatch(/^HTTP\/1\.1 200/);
    await expect
      .poll(() => egress.proxies.networkLog('c', 10))
      .toContainEqual(expect.objectContaining({ verdict: 'refused', reason: expect.stringContaining('other.') }));
  });
});

describe('a grant for some methods or paths', () => {
  it('goes on no request that names another method or path in a header, as some servers take it', async () => {
    const two = grant([api], { methods: ['POST'] });
    const { placeholder: _, ...three } = grant([api], {
      pathPrefixes: ['/repos/acme'],
      credential: { kind: 'header', name: 'X-Api-Key', value: 'header-canary' },
    });
    await egress.grant('override', [two, three]);
    const before = hosts.arrivals.length;
    const bearer = `authorization: Bearer ${two.placeholder}\ncontent-length: 0\n`;
    const overrides = [
      ...['X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'x-method-override: PUT'],
      ...['X-Original-URL: /admin', 'X-Rewrite-URL: /admin'],
    ];
    for (const override of overrides) {
      const post = get('/', `${override}\n${bearer}`).replace('GET', 'POST');
      expect(await send(await egress.tls('override', api), post), override).toMatch(
        /^HTTP\/1\.1 403[^]*another method/,
      );
      const byHost = get('/repos/acme/x', `${override}\n`);
      expect(await send(await egress.tls('override', api), byHost), override).toMatch(/^HTTP\/1\.1 403/);
    }
    expect(hosts.arrivals).toHaveLength(before);
    // Without a secret on it, or with one that has no such limits, the header is the host's business.
    expect(await send(await egress.tls('override', api), get('/x', `${overrides[0]}\n`))).toMatch(/^HTTP\/1\.1 200/);
    const free = grant([api]);
    await egress.grant('override', [free]);
    const all = get('/x', `${overrides[0]}\nauthorization: Bearer ${free.placeholder}\n`);
    expect(await send(await egress.tls('override', api), all)).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe('a signature of AWS', () => {
  const signed = async (agent: string, hash: string, service = 's3') => {
    const credential = { kind: 'aws_sigv4', accessKeyId: 'AKIA', secretAccessKey: 'sigv4-canary' } as const;
    const { placeholder: _, ...one } = grant([api], { credential: { ...credential, region: 'eu-1', service } });
    await egress.grant(agent, [one]);
    const body = '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';
    const headers = `x-amz-content-sha256: ${hash}\ncontent-encoding: aws-chunked\nx-amz-decoded-content-length: 5\n`;
    const head = `PUT /bucket/key HTTP/1.1\nhost: ${api}\nconnection: close\n${headers}content-length: ${body.length}\n\n`;
    const secure = await egress.tls(agent, api);
    secure.write(head.replaceAll('\n', '\r\n') + body);
    return text(secure.setEncoding('latin1'));
  };

  it('leaves a body in pieces without signatures as it says it is', async () => {
    expect(await signed('aws-1', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER')).toMatch(/^HTTP\/1\.1 200/);
    expect(hosts.arrivals.at(-1)?.headers).toMatchObject({
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      authorization: expect.stringMatching(/SignedHeaders=.*x-amz-decoded-content-length/),
    });
  });

  it.each(['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'])(
    'is refused with the reason where pieces of the body are signed with the placeholder: %s',
    async (hash) => {
      const before = hosts.arrivals.length;
      expect(await signed('aws-2', hash)).toMatch(/^HTTP\/1\.1 403[^]*signed in pieces/);
      expect(hosts.arrivals).toHaveLength(before);
    },
  );
});

describe('without a placeholder', () => {
  it('each kind of credential is put in by host', async () => {
    const cases = [
      [{ kind: 'bearer', token: 'bearer-canary' }, 'authorization', 'Bearer bearer-canary'],
      [{ kind: 'basic', username: 'u', password: 'basic-canary' }, 'authorization', `Basic ${btoa('u:basic-canary')}`],
      [{ kind: 'header', name: 'X-Api-Key', value: 'header-canary' }, 'x-api-key', 'header-canary'],
      [{ kind: 'dynamic' }, 'authorization', /^Bearer dynamic-/],
      [
        { kind: 'aws_sigv4', accessKeyId: 'AKIA', secretAccessKey: 'sigv4-canary', region: 'eu-1', service: 's3' },
        'authorization',
        /^AWS4-HMAC-SHA256 Credential=AKIA\/\d+\/eu-1\/s3\/aws4_request, SignedHeaders=.*Signature=[0-9a-f]{64}$/,
      ],
    ] as const;
    for (const [credential, name, value] of cases) {
      const { placeholder: _, ...one } = grant([api], { credential });
      await egress.grant('d', [one]);
      expect(await send(await egress.tls('d', api), get('/', `${name}: mine\n`))).not.toMatch(
        /(bearer|basic|header|sigv4)-canary/,
      );
      expect(hosts.arrivals.at(-1)?.headers[name]).toEqual(
        value instanceof RegExp ? expect.stringMatching(value) : value,
      );
    }
    const { placeholder: _, ...query } = grant([api], { credential: { kind: 'query', name: 'key', value: 'a b' } });
    await egress.grant('d', [query]);
    await send(await egress.tls('d', api), get('/x?key=mine&a=1'));
    expect(hosts.arrivals.at(-1)?.path).toBe('/x?a=1&key=a%20b');
  });

  it('one that asks is refused until it is approved', async () => {
    const { placeholder: _, ...one } = grant([api], { asks: true });
    await egress.grant('e', [one]);
    expect(await send(await egress.tls('e', api), get('/x?y'))).toMatch(/^HTTP\/1\.1 403[^]*approval was requested/);
    expect(egress.asked.at(-1)).toMatchObject({ grantId: one.id, request: { method: 'GET', host: api, path: '/x?y' } });
    expect(await send(await egress.tls('e', api), get('/approved'))).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe('a grant that asks', () => {
  const waits = { isAllowed: false, reason: 'it waits for approval 1', waits: true } as const;
  const asking = async (agent: string) => {
    const one = grant([api], { asks: true });
    await egress.grant(agent, [one]);
    const request = get('/ask', `authorization: Bearer ${one.placeholder}\n`);
    const verdicts = (list: EgressVerdict[]) => egress.verdicts.set(one.id, list);
    return { one, verdicts, send: async () => send(await egress.tls(agent, api), request) };
  };

  it('holds the request while a person decides, and sends it once it is allowed', async () => {
    const { one, verdicts, send: sendIt } = await asking('ask-1');
    verdicts([waits, { isAllowed: true }]);
    expect(await sendIt()).toMatch(/^HTTP\/1\.1 200/);
    expect(hosts.arrivals.at(-1)?.headers['authorization']).toBe(`Bearer ${tokenOf(one)}`);
  });

  it('refuses it when nobody decides for a while, and sends it when it comes again', async () => {
    const { verdicts, send: sendIt } = await asking('ask-2');
    const before = hosts.arrivals.length;
    verdicts(Array<EgressVerdict>(20).fill(waits));
    const started = Date.now();
    expect(await sendIt()).toMatch(/^HTTP\/1\.1 403[^]*it waits for approval 1/);
    expect(Date.now() - started).toBeGreaterThan(1_500);
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(hosts.arrivals).toHaveLength(before);
    verdicts([{ isAllowed: true }]);
    expect(await sendIt()).toMatch(/^HTTP\/1\.1 200/);
  });

  it('goes on when its grant asks no more, and sends nothing when it was revoked', async () => {
    const { one, verdicts, send: sendIt } = await asking('ask-3');
    verdicts([waits, { isAllowed: true }]);
    const held = sendIt();
    await until('it is asked', () => egress.asked.some(({ grantId }) => grantId === one.id));
    await egress.grant('ask-3', [{ ...one, asks: false }]);
    expect(await held).toMatch(/^HTTP\/1\.1 200/);
    const before = hosts.arrivals.length;
    await egress.grant('ask-3', [one]);
    verdicts(Array<EgressVerdict>(20).fill(waits));
    const revoked = sendIt();
    await until('it is asked again', () => egress.verdicts.get(one.id)!.length < 20);
    await egress.grant('ask-3', []);
    expect(await revoked).toBe('');
    expect(hosts.arrivals).toHaveLength(before);
  });

  it('asks no more for a client that went away', async () => {
    const { one, verdicts } = await asking('ask-4');
    verdicts([waits, { isAllowed: true }]);
    const secure = await egress.tls('ask-4', api);
    secure.write(get('/gone', `authorization: Bearer ${one.placeholder}\n`).replaceAll('\n', '\r\n'));
    await until('it is asked', () => egress.verdicts.get(one.id)?.length === 1);
    secure.destroy();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(egress.verdicts.get(one.id)).toHaveLength(1);
  });
});

describe('TLS', () => {
  it('of hosts without a grant passes through untouched', async () => {
    await egress.grant('f', [grant([api])]);
    await expect(egress.tls('f', `www.${zone}:${hosts.port}`)).rejects.toThrow(/self-signed certificate/);
    const secure = await egress.tls('f', api);
    expect(secure.getPeerCertificate().issuer.CN).toMatch(/^Roost egress/);
    expect(secure.getPeerX509Certificate()?.validToDate.getTime()).toBeLessThan(Date.now() + 24 * 3_600_000);
    secure.destroy();
  });

  it('carries HTTP/2 both ways, with many streams', async () => {
    const one = grant([api]);
    await egress.grant('g', [one]);
    const secure = await egress.tls('g', api, { ALPNProtocols: ['h2'] });
    const session = connectHttp2(`https://${api}`, { createConnection: () => secure });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const stream = session.request({
          ':path': `/${at}`,
          ':method': 'POST',
          authorization: `Bearer ${one.placeholder}`,
        });
        stream.end('x'.repeat(100_000));
        const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
        return { status: headers[':status'], body: await text(stream) };
      }),
    );
    session.close();
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(answers.every(({ body }) => body.includes('[roost: removed]') && !body.includes(tokenOf(one)))).toBe(true);
    expect(hosts.arrivals.at(-1)?.headers['authorization']).toBe(`Bearer ${tokenOf(one)}`);
  });

  it('and refuses pseudo-headers of HTTP/2 that name another host, scheme or form of URL', async () => {
    const one = grant([api]);
    await egress.grant('k', [one]);
    const before = hosts.arrivals.length;
    for (const wrong of [
      { ':authority': `www.${zone}:${hosts.port}` },
      { ':authority': `${api}@www.${zone}` },
      { ':scheme': 'http' },
      { ':path': `https://www.${zone}/` },
      { host: `www.${zone}` },
      { ':method': 'TRACE' },
    ]) {
      const secure = await egress.tls('k', api, { ALPNProtocols: ['h2'] });
      const session = connectHttp2(`https://${api}`, { createConnection: () => secure });
      session.on('error', () => undefined);
      const stream = session.request({ ':path': '/', authorization: `Bearer ${one.placeholder}`, ...wrong });
      const status = await Promise.race([
        once(stream, 'response').then(([headers]) => (headers as Record<string, unknown>)[':status']),
        once(stream, 'close').then(() => 'closed'),
      ]).catch(() => 'closed');
      expect([403, 'closed'], JSON.stringify(wrong)).toContain(status);
      session.destroy();
    }
    expect(hosts.arrivals).toHaveLength(before);
  });

  it('opens WebSockets with the placeholder replaced, and takes the secret out of frames', async () => {
    const one = grant([api]);
    await egress.grant('l', [one]);
    const server = new WebSocketServer({ noServer: true });
    hosts.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      server.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer) => client.send(`${data.toString()} ${request.headers['authorization']}`));
      });
    });
    const secure = await egress.tls('l', api);
    const client = new WebSocket(`wss://${api}/socket`, {
      createConnection: () => secure,
      headers: { authorization: `Bearer ${one.placeholder}` },
    });
    await once(client, 'open');
    client.send('hello');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toMatch(/^hello Bearer \[roost: removed\]\*+$/);
    const closed = once(client, 'close');
    client.on('error', () => undefined);
    await egress.grant('l', []); // a revocation ends it
    await closed;
    server.close();
  });

  it('is refused where the name in it is not the host, and to a host whose certificate is not trusted', async () => {
    await egress.grant('h', [grant([api]), grant([`bad.${zone}:${hosts.port}`])]);
    const secure = await egress.tls('h', api, { servername: `other.${zone}` }).catch(() => undefined);
    if (secure) expect(await send(secure, get('/'))).toBe('');
    const stranger = await startHosts();
    const bad = `bad.${zone}:${stranger.port}`;
    await egress.grant('h', [grant([bad])]);
    await expect(egress.tls('h', bad)).rejects.toThrow(/502 Bad Gateway[^]*certificate of bad\..* cannot be verified/);
    stranger.close();
  });
});

describe('after a revocation', () => {
  it('open connections that carried the secret end, and no further request carries it', async () => {
    const one = grant([api]);
    await egress.grant('i', [one]);
    const secure = await egress.tls('i', api);
    secure.write(`GET / HTTP/1.1\r\nhost: ${api}\r\nauthorization: Bearer ${one.placeholder}\r\n\r\n`);
    await once(secure, 'data');
    const closed = once(secure, 'close');
    await egress.grant('i', []);
    await closed;
    const before = hosts.arrivals.length;
    await expect(egress.tls('i', api)).rejects.toThrow(); // it is the host's own certificate again
    expect(hosts.arrivals).toHaveLength(before);
  });
});

describe('the process', () => {
  it('is there again within two seconds when it is killed, with all that it went by', async () => {
    const one = grant([api]);
    await egress.grant('j', [one]);
    const pid = await egress.proxies.supervisor.pid();
    process.kill(pid ?? 0, 'SIGKILL');
    const ask = async () => send(await egress.tls('j', api), get('/', `authorization: Bearer ${one.placeholder}\n`));
    const killedAt = Date.now();
    await until('it answers again', async () => (await ask().catch(() => '')).startsWith('HTTP/1.1 200'));
    expect(Date.now() - killedAt).toBeLessThan(process.env['ROOST_FULL'] ? 2_000 : 30_000);
    expect(await egress.proxies.supervisor.pid()).not.toBe(pid);
  });

  it('runs as a user of its own where this one is root', async () => {
    const { readFileSync } = await import('node:fs');
    const status = readFileSync(`/proc/${await egress.proxies.supervisor.pid()}/status`, 'utf8');
    if (process.getuid?.() !== 0) return expect(status).toContain(`Uid:\t${process.getuid?.()}`);
    expect(status).toMatch(/Uid:\t1699999999\t1699999999/);
    expect(status).toMatch(/CapEff:\t0+\n/);
    expect(readFileSync(`/proc/${await egress.proxies.supervisor.pid()}/limits`, 'utf8')).toMatch(
      /core file size +0 +0/,
    );
  });
});

describe('a host that answers by no rule', () => {
  /** Over TLS, one answer to whatever comes. */
  const answering = async (agent: string, answer: (token: string) => Buffer) => {
    const one = grant([`odd.${zone}:1`]);
    const server = createTlsServer(
      {
        SNICallback: (name, give) => {
          void new Leaves(hosts.authority).of(name).then((context) => give(null, context));
        },
      },
      (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer(tokenOf(one))));
      },
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `odd.${zone}:${(server.address() as AddressInfo).port}`;
    await egress.grant(agent, [{ ...one, hosts: [host] }]);
    return { host, token: tokenOf(one), placeholder: one.placeholder, close: () => server.close() };
  };
  const hidden = (token: string) => gzipSync(`you sent ${token}`);
  const chunked = (bytes: Buffer) =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]);

  it.each([
    ['gzip, chunked', 'transfer-encoding: gzip, chunked'],
    ['x-gzip, chunked', 'transfer-encoding: x-gzip, chunked'],
  ])('is not believed with the transfer encoding %s', async (_, line) => {
    const host = await answering('odd-1', (token) =>
      Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${line}\r\n\r\n`),
        chunked(hidden(token)),
      ]),
    );
    const secure = await egress.tls('odd-1', host.host);
    secure.write(`GET / HTTP/1.1\r\nhost: ${host.host}\r\nauthorization: Bearer ${host.placeholder}\r\n\r\n`);
    const answer = await text(secure.setEncoding('latin1'));
    expect(answer).toMatch(/^(HTTP\/1\.1 (403|502)|$)/);
    expect(answer).not.toContain(hidden(host.token).toString('latin1').slice(10, -8));
    host.close();
  });

  it('opens no WebSocket with an extension that nobody asked for', async () => {
    const host = await answering('odd-2', () =>
      Buffer.from(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\nsec-websocket-extensions: permessage-deflate\r\n\r\nframes',
      ),
    );
    const secure = await egress.tls('odd-2', host.host);
    secure.write(
      `GET / HTTP/1.1\r\nhost: ${host.host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-extensions: permessage-deflate\r\nauthorization: Bearer ${host.placeholder}\r\n\r\n`,
    );
    const answer = await text(secure.setEncoding('latin1'));
    expect(answer).not.toMatch(/101 Switching|frames/);
    host.close();
  });
});
