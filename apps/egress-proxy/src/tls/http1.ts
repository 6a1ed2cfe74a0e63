import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { hopByHop, respond } from '../answers.js';
import { Refusal } from '../credentials/authorize.js';
import { replaceInBody, wholeBody, WithoutPlaceholders } from '../credentials/outgoing-body.js';
import { scrubText } from '#lib/secret-scrub';
import { formOf, scrubbing, through } from '../scrub/scrubbed-body.js';
import {
  admit,
  groupsOf,
  type Interception,
  pairsOf,
  plainReason,
  scrubPairs,
  smallBodyBytes,
} from './interception.js';
import { headOf, type Http1Parts } from './http1-head.js';
import { serveUpgrade } from './upgrade.js';

/** Serves HTTP/1.1 to a sandbox's client and asks the host for it, one request after the other. */
export function serveHttp1(client: TLSSocket, interception: Interception): void {
  const agent = oneConnection(interception);
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    forward(request, response, { interception, agent }).catch(() => client.destroy());
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    serveUpgrade(request, { socket, head }, { interception, agent }).catch(() => client.destroy());
  });
  server.on('clientError', (_, socket) => socket.destroy());
  client.once('close', () => agent.destroy());
  server.emit('connection', client);
}

/** Everything goes over the connection that was made, or over one in its place: requests share none with other agents. */
function oneConnection(interception: Interception): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  let first: TLSSocket | undefined = interception.upstream;
  agent.createConnection = (_, callback) => {
    const ready = first;
    first = undefined;
    if (ready && !ready.destroyed && ready.readable) return ready;
    ready?.destroy();
    interception.reconnect().then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error instanceof Error ? error : new Error(String(error)), undefined as never),
    );
    return undefined;
  };
  return agent;
}

async function forward(request: IncomingMessage, response: ServerResponse, parts: Http1Parts): Promise<void> {
  const { interception, agent } = parts;
  const record = interception.record(request.method ?? '');
  const fail = (error: unknown) => {
    const reason = plainReason(error, interception.destination);
    if (error instanceof Refusal) record.refused(reason);
    else record.failed(reason);
    if (response.headersSent) response.destroy();
    else respond(response, error instanceof Refusal ? 403 : 502, reason);
  };
  try {
    const head = headOf(request);
    const authorized = await admit(interception, head, () => response.destroyed);
    const length = request.headers['content-length'];
    const hasBody = length !== undefined || request.headers['transfer-encoding'] !== undefined;
    const isWhole =
      hasBody && (authorized.needsBody || authorized.inBody.size > 0 || Number(length ?? Infinity) <= smallBodyBytes);
    const body = isWhole ? await replaceInBody(await wholeBody(request), authorized.inBody) : undefined;
    authorized.finish(body);
    const { needles } = authorized;
    const headers = groupsOf(head.headers);
    if (body) headers['content-length'] = String(body.length);
    else if (hasBody && length === undefined) headers['transfer-encoding'] = 'chunked';
    const { method, path } = head;
    await new Promise<void>((resolve) => {
      const end = (error?: unknown) => {
        if (error !== undefined) fail(error);
        resolve();
      };
      const outgoing = httpRequest({ agent, method, path, headers, setHost: false }, (answer) => {
        const isEmpty = method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304;
        const steps = isEmpty ? [] : scrubbing(needles, formOf(answer));
        if (!steps) return void outgoing.destroy(new Refusal('The answer is encoded in a way that cannot be read.'));
        const dropped = [...hopByHop, ...(steps.length > 1 ? ['content-encoding', 'content-length'] : [])];
        const shown = pairsOf(answer.rawHeaders).filter(([name]) => !dropped.includes(name));
        try {
          response.writeHead(
            answer.statusCode ?? 502,
            scrubText(answer.statusMessage ?? '', needles),
            groupsOf(scrubPairs(shown, needles)),
          );
          response.flushHeaders();
        } catch (error) {
          answer.destroy();
          return end(error);
        }
        pipeline(through(answer, steps), response, (error) => {
          record.done(request.socket.bytesRead, request.socket.bytesWritten);
          if (error) request.socket.destroy();
          resolve();
        });
      });
      outgoing.once('error', (error) => {
        // A connection that the host gave up while it was idle: the client repeats what it sent over such a one.
        if (outgoing.reusedSocket && !response.headersSent && !(error instanceof Refusal)) request.socket.destroy();
        end(error);
      });
      response.once('close', () => outgoing.destroy());
      if (!hasBody || body) outgoing.end(body);
      else
        pipeline(request, new WithoutPlaceholders(), outgoing, (error) => {
          if (error) outgoing.destroy(error);
        });
    });
  } catch (error) {
    fail(error);
  }
}
