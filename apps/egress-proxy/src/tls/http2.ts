import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from 'node:http2';
import { pipeline } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { hopByHop } from '../answers.js';
import { Refusal } from '../credentials/authorize.js';
import { replaceInBody, wholeBody, WithoutPlaceholders } from '../credentials/outgoing-body.js';
import type { RequestHead } from '../credentials/request-head.js';
import { scrubbing, through } from '../scrub/scrubbed-body.js';
import {
  admit,
  groupsOf,
  type Interception,
  isSame,
  pairsOf,
  plainReason,
  scrubPairs,
  smallBodyBytes,
} from './interception.js';

/** Of one connection; more wait in the client. */
const maxStreams = 100;
const windowBytes = 4 * 1024 * 1024;

/** Serves HTTP/2 to a sandbox's client over HTTP/2 to the host: a stream there for each stream here. */
export function serveHttp2(client: TLSSocket, interception: Interception): void {
  const settings = { initialWindowSize: 1024 * 1024 };
  const remote = connect(`https://${interception.authority}`, {
    createConnection: () => interception.upstream,
    settings: { ...settings, enablePush: false },
  });
  const session = performServerHandshake(client, {
    settings: { ...settings, maxConcurrentStreams: maxStreams, enableConnectProtocol: false },
  });
  const end = () => {
    session.destroy();
    remote.destroy();
  };
  for (const side of [session, remote]) side.on('error', end).once('close', end);
  remote.once('goaway', () => session.close());
  remote.once('connect', () => remote.setLocalWindowSize(windowBytes));
  session.setLocalWindowSize(windowBytes);
  session.on('stream', (stream, headers, _flags, raw: string[]) => {
    stream.on('error', () => undefined); // its end is what counts
    forward(stream, { headers, raw, remote, interception }).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  });
}

interface Exchange {
  headers: IncomingHttpHeaders;
  raw: string[];
  remote: ClientHttp2Session;
  interception: Interception;
}

/** Errors: `Refusal`, where a pseudo-header names another host or scheme. */
function headOf({ headers, raw, interception }: Exchange): RequestHead {
  const authority = headers[':authority'] ?? headers.host;
  if (!isSame(authority, interception) || headers[':scheme'] !== 'https')
    throw new Refusal(
      `The request is for another host than ${interception.authority}, which the connection was made to.`,
    );
  const own = pairsOf(raw).filter(([name]) => !name.startsWith(':'));
  const others = own.filter(([name, value]) => !hopByHop.includes(name) || (name === 'te' && value === 'trailers'));
  if (!others.some(([name]) => name === 'host')) others.push(['host', interception.authority]);
  return { method: headers[':method'] ?? '', path: headers[':path'] ?? '', headers: others };
}

async function forward(stream: ServerHttp2Stream, exchange: Exchange): Promise<void> {
  const { headers, remote, interception } = exchange;
  const record = interception.record(headers[':method'] ?? '');
  const fail = (error: unknown) => {
    const reason = plainReason(error, interception.destination);
    if (error instanceof Refusal) record.refused(reason);
    else record.failed(reason);
    if (stream.destroyed || stream.headersSent) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    stream.respond({ ':status': error instanceof Refusal ? 403 : 502, 'content-type': 'text/plain; charset=utf-8' });
    stream.end(`Roost: ${reason}\n`);
  };
  try {
    const head = headOf(exchange);
    const authorized = await admit(interception, head, () => stream.destroyed);
    const length = headers['content-length'];
    const hasBody = !stream.endAfterHeaders;
    const isWhole =
      hasBody && (authorized.needsBody || authorized.inBody.size > 0 || Number(length ?? Infinity) <= smallBodyBytes);
    const body = isWhole ? await replaceInBody(await wholeBody(stream), authorized.inBody) : undefined;
    authorized.finish(body);
    if (remote.destroyed || remote.closed) throw new Error('the host ended the connection');
    const sent = groupsOf(head.headers.filter(([name]) => name !== 'host'));
    if (body) sent['content-length'] = String(body.length);
    const outgoing = remote.request(
      { ...sent, ':method': head.method, ':path': head.path, ':scheme': 'https', ':authority': interception.authority },
      { endStream: !hasBody },
    );
    let received = 0;
    outgoing.once('response', (answer, _flags, raw?: string[]) => {
      try {
        received = answerWith(stream, outgoing, {
          answer,
          raw: raw ?? [],
          needles: authorized.needles,
          method: head.method,
        });
      } catch (error) {
        outgoing.close(constants.NGHTTP2_CANCEL);
        fail(error);
      }
    });
    outgoing.on('error', fail);
    stream.once('close', () => {
      outgoing.close(constants.NGHTTP2_CANCEL);
      record.done(body?.length ?? 0, received);
    });
    if (body) outgoing.end(body);
    else if (hasBody)
      pipeline(stream, new WithoutPlaceholders(), outgoing, (error) => {
        if (!(error instanceof Refusal)) return;
        outgoing.close(constants.NGHTTP2_CANCEL);
        fail(error);
      });
  } catch (error) {
    fail(error);
  }
}

interface Answer {
  answer: IncomingHttpHeaders & { ':status'?: number | undefined };
  raw: string[];
  needles: Buffer[];
  method: string;
}

/** Returns the announced length of the body. Errors: `Refusal`, for an encoding that cannot be read. */
function answerWith(
  stream: ServerHttp2Stream,
  outgoing: ClientHttp2Stream,
  { answer, raw, needles, method }: Answer,
): number {
  const length = answer['content-length'] === undefined ? undefined : Number(answer['content-length']);
  const status = answer[':status'] ?? 502;
  const isEmpty = method === 'HEAD' || status === 204 || status === 304;
  const form = { type: answer['content-type'], encoding: answer['content-encoding'], length };
  const steps = isEmpty ? [] : scrubbing(needles, form);
  if (!steps) throw new Refusal('The answer is encoded in a way that cannot be read.');
  const dropped = [...hopByHop, ...(steps.length > 1 ? ['content-encoding', 'content-length'] : [])];
  const shown = pairsOf(raw).filter(([name]) => !name.startsWith(':') && !dropped.includes(name));
  if (stream.destroyed) return 0;
  let trailers: [string, string][] = [];
  outgoing.once('trailers', (_, __, rawTrailers?: string[]) => (trailers = pairsOf(rawTrailers ?? [])));
  stream.once('wantTrailers', () => stream.sendTrailers(groupsOf(scrubPairs(trailers, needles))));
  stream.respond({ ':status': status, ...groupsOf(scrubPairs(shown, needles)) }, { waitForTrailers: true });
  pipeline(through(outgoing, steps), stream, () => undefined);
  return length ?? 0;
}
