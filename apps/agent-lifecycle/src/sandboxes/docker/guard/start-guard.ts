import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
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
 * Access to Docker's socket for the docker driver and nobody else: see `whyRefused`. A refused call answers 403 with the
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
    const why = judge(incoming, undefined, options) ?? whyOddBody(incoming.headers);
    if (why !== undefined) socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n`);
    else void attach(incoming, socket, head, options.socketPath).catch(() => socket.destroy());
  });
  // Attached streams last as long as their containers.
  server.requestTimeout = 0;
  server.timeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? '0.0.0.0', () => resolve(server));
  });
}

async function serve(incoming: IncomingMessage, response: ServerResponse, options: GuardOptions): Promise<void> {
  const hasBody = incoming.method === 'POST';
  const sent = hasBody ? await bodyOf(incoming) : '';
  if (sent === undefined) return answer(response, 413, 'too long');
  const body = hasBody ? parsed(sent) : undefined;
  const why = judge(incoming, body, options);
  if (why !== undefined) return answer(response, 403, why);
  // What was judged is what is sent: a body that two parsers read differently gets nobody past.
  const text = body === undefined ? '' : JSON.stringify(body);
  const outgoing = request({
    socketPath: options.socketPath,
    method: incoming.method,
    path: pathAsJudged(incoming),
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

/** Counted as it comes: a body in chunks does not declare its length. Undefined when it is longer than any call's. */
async function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged as a call without a body
  }
}

/** Docker turns the connection into the container's input and output; from then on bytes are only carried. */
async function attach(incoming: IncomingMessage, socket: Duplex, head: Buffer, socketPath: string): Promise<void> {
  const begun = await afterBody(socket, head, Number(incoming.headers['content-length'] ?? 0));
  const outgoing = request({
    socketPath,
    method: incoming.method,
    path: pathAsJudged(incoming),
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
    if (begun.length > 0) docker.write(begun);
    pipeline(socket, docker)
      .catch(() => undefined)
      .finally(() => docker.destroy());
    pipeline(docker, socket)
      .catch(() => undefined)
      .finally(() => socket.destroy());
  });
  outgoing.end();
}

/** Docker's client repeats its query as a body ahead of the stream's bytes; no parser takes that off an upgrade. */
async function afterBody(socket: Duplex, head: Buffer, bodyBytes: number): Promise<Buffer> {
  let read = head;
  while (read.length < bodyBytes) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    read = Buffer.concat([read, chunk]);
  }
  return read.subarray(bodyBytes);
}

function judge(incoming: IncomingMessage, body: unknown, options: GuardOptions): string | undefined {
  const { method = '', url = '' } = incoming;
  const why = whyRefused({ method, url, body }, options);
  if (why !== undefined) options.log({ method, url, why }, 'refused');
  return why;
}

function whyOddBody(headers: IncomingHttpHeaders): string | undefined {
  const isPlain = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= maxBodyBytes;
  return isPlain ? undefined : 'a body of that kind is not read';
}

/** Without `..` and the like: what was judged is what is asked. */
function pathAsJudged({ url = '' }: IncomingMessage): string {
  const { pathname, search } = new URL(url, 'http://docker');
  return pathname + search;
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
