import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type GuardPolicy, whyRefused } from './judge-call.js';

export interface GuardOptions extends GuardPolicy {
  socketPath: string;
  port: number;
  host?: string;
  log(fields: object, message: string): void;
}

const maxBodyBytes = 256 * 1024;

/**
 * A door to Docker's socket for the docker driver and nobody else: see `whyRefused`. A refused call answers 403 with the
 * reason and is logged.
 */
export function startGuard(options: GuardOptions): Promise<Server> {
  const server = createServer((incoming, response) => {
    void serve(incoming, response, options).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answer(response, 502, `Docker does not answer: ${String(error)}`);
    });
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const why = judge(incoming, undefined, options);
    if (why !== undefined) socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n`);
    else attach(incoming, socket, head, options.socketPath);
  });
  // Attached lines last as long as their containers.
  server.requestTimeout = 0;
  server.timeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? '0.0.0.0', () => resolve(server));
  });
}

async function serve(incoming: IncomingMessage, response: ServerResponse, options: GuardOptions): Promise<void> {
  const hasBody = incoming.method === 'POST';
  if (Number(incoming.headers['content-length'] ?? 0) > maxBodyBytes) return answer(response, 413, 'too long');
  const body = hasBody ? await json(incoming).catch(() => undefined) : undefined;
  const why = judge(incoming, body, options);
  if (why !== undefined) return answer(response, 403, why);
  // What was judged is what is sent: a body that two parsers read differently gets nobody past.
  const text = body === undefined ? '' : JSON.stringify(body);
  const outgoing = request({
    socketPath: options.socketPath,
    method: incoming.method,
    path: incoming.url,
    headers: text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {},
  });
  await new Promise<void>((resolve, reject) => {
    outgoing.once('error', reject).once('response', (docker) => {
      response.writeHead(docker.statusCode ?? 502, { 'content-type': docker.headers['content-type'] ?? 'text/plain' });
      pipeline(docker, response).then(resolve, reject);
    });
    outgoing.end(text);
  });
}

/** Docker turns the connection into the container's input and output; from then on bytes are only carried. */
function attach(incoming: IncomingMessage, socket: Duplex, head: Buffer, socketPath: string): void {
  const outgoing = request({
    socketPath,
    method: incoming.method,
    path: incoming.url,
    headers: { connection: 'Upgrade', upgrade: 'tcp' },
  });
  outgoing.once('error', () => socket.destroy());
  outgoing.once('response', (docker) => {
    docker.resume();
    socket.end(`HTTP/1.1 ${docker.statusCode} Refused\r\ncontent-length: 0\r\n\r\n`);
  });
  outgoing.once('upgrade', (_, docker, first) => {
    socket.write(
      'HTTP/1.1 101 UPGRADED\r\ncontent-type: application/vnd.docker.raw-stream\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n',
    );
    if (first.length > 0) socket.write(first);
    if (head.length > 0) docker.write(head);
    pipeline(socket, docker)
      .catch(() => undefined)
      .finally(() => docker.destroy());
    pipeline(docker, socket)
      .catch(() => undefined)
      .finally(() => socket.destroy());
  });
  outgoing.end();
}

function judge(incoming: IncomingMessage, body: unknown, options: GuardOptions): string | undefined {
  const { method = '', url = '' } = incoming;
  const why = whyRefused({ method, url, body }, options);
  if (why !== undefined) options.log({ method, url, why }, 'refused');
  return why;
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
