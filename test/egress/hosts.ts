import { once } from 'node:events';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type EgressAuthority,
  makeEgressAuthority,
} from '../../apps/agent-lifecycle/src/sandboxes/egress/authority.js';
import { Leaves } from '../../apps/egress-proxy/src/tls/leaves.js';

/** One request as a host received it, all that it says in one text. */
export interface Arrival {
  host: string;
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const encoders: Record<string, (text: string) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

type Serve = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse & Http2ServerResponse,
) => Promise<void> | void;

/** TLS hosts under any name, with certificates of a private authority, on one port of this machine. */
export async function startHosts(serve: Serve = echo) {
  const authority: EgressAuthority = await makeEgressAuthority();
  const leaves = new Leaves(authority);
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  const server = createSecureServer(
    {
      allowHTTP1: true,
      SNICallback: (name, give) => {
        leaves.of(name).then(
          (context) => give(null, context),
          (error: unknown) => give(error instanceof Error ? error : new Error(String(error))),
        );
      },
    },
    (request, response) => {
      void (async () => {
        const bytes = await buffer(request).catch(() => Buffer.alloc(0));
        const body = bytes.toString('latin1');
        arrivals.push({
          host: String(request.headers[':authority'] ?? request.headers.host),
          method: request.method,
          path: request.url,
          headers: request.headers,
          body,
        });
        Object.assign(request, { text: body, bytes });
        await serve(request, response as ServerResponse & Http2ServerResponse);
      })();
    },
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    authority,
    server,
    arrivals,
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
export type Hosts = Awaited<ReturnType<typeof startHosts>>;

/** Returns all that it was sent, in body and headers; `?as=gzip` encoded, `?to=…` as a redirect, `?form=base64`. */
function echo(request: IncomingMessage | Http2ServerRequest, response: ServerResponse & Http2ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://x');
  const all = JSON.stringify({
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: (request as { text?: string }).text,
  });
  const authorization = String(request.headers['authorization'] ?? '');
  const headers: Record<string, string> = {
    'content-type': url.searchParams.get('type') ?? 'application/json',
    'x-echo': authorization,
  };
  const forms: Record<string, (text: string) => string> = {
    base64: (value) => Buffer.from(value).toString('base64'),
    shifted: (value) => Buffer.from(`.${value}`).toString('base64url'),
    percent: encodeURIComponent,
    hex: (value) => Buffer.from(value).toString('hex'),
    json: JSON.stringify,
  };
  const body = forms[url.searchParams.get('form') ?? '']?.(all) ?? all;
  const as = url.searchParams.get('as');
  const to = url.searchParams.get('to');
  if (to !== null) response.writeHead(302, { ...headers, location: to }).end(body);
  else if (as !== null)
    response.writeHead(200, { ...headers, 'content-encoding': as }).end(encoders[as]?.(body) ?? body);
  else if (url.searchParams.has('pieces')) {
    response.writeHead(200, headers);
    for (const piece of body.match(/[^]{1,7}/g) ?? []) response.write(piece);
    response.end();
  } else response.writeHead(200, headers).end(body);
}
