import { type IncomingMessage, request as httpRequest, STATUS_CODES } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { hopByHop, rawResponse } from '../answers.js';
import { Refusal } from '../credentials/authorize.js';
import { Scrubber } from '#lib/secret-scrub';
import { formOf, scrubbing, through } from '../scrub/scrubbed-body.js';
import { headOf, type Http1Parts } from './http1-head.js';
import { admit, groupsOf, pairsOf, plainReason, scrubPairs } from './interception.js';

/**
 * Opens a WebSocket: the request as any other, then bytes both ways. What the host sends is scrubbed, which its frames
 * allow as long as they are not compressed: that extension is not asked for.
 */
export async function serveUpgrade(
  request: IncomingMessage,
  { socket, head: rest }: { socket: Duplex; head: Buffer },
  { interception, agent }: Http1Parts,
): Promise<void> {
  const record = interception.record(request.method ?? '');
  socket.on('error', () => undefined);
  const fail = (error: unknown) => {
    const reason = plainReason(error, interception.destination);
    if (error instanceof Refusal) record.refused(reason);
    else record.failed(reason);
    if (socket.writable)
      socket.end(rawResponse(error instanceof Refusal ? '403 Forbidden' : '502 Bad Gateway', reason));
  };
  try {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket')
      throw new Refusal('Only WebSocket may take the place of HTTP on a connection to a host with a secret.');
    const head = headOf(request);
    head.headers = head.headers.filter(([name]) => name !== 'sec-websocket-extensions');
    const authorized = await admit(interception, head, () => socket.destroyed);
    authorized.finish();
    const { needles } = authorized;
    const headers = { ...groupsOf(head.headers), connection: 'Upgrade', upgrade: 'websocket' };
    const outgoing = httpRequest({ agent, method: head.method, path: head.path, headers, setHost: false });
    outgoing.once('error', fail);
    outgoing.once('response', (answer) => {
      const steps = scrubbing(needles, formOf(answer));
      if (!steps) return void outgoing.destroy(new Refusal('The answer is encoded in a way that cannot be read.'));
      record.done(0, 0);
      const dropped = [...hopByHop, 'content-length', ...(steps.length > 1 ? ['content-encoding'] : [])];
      const lines = scrubPairs(
        pairsOf(answer.rawHeaders).filter(([name]) => !dropped.includes(name)),
        needles,
      );
      socket.write(`${statusLine(answer)}${linesOf(lines)}connection: close\r\n\r\n`);
      pipeline(through(answer, steps), socket, () => undefined);
    });
    outgoing.once('upgrade', (answer, remote, first) => {
      if (answer.headers['sec-websocket-extensions'] !== undefined) {
        remote.destroy();
        return fail(new Refusal('The host opens the WebSocket with an extension that was not asked for.'));
      }
      const lines = scrubPairs(pairsOf(answer.rawHeaders), needles);
      socket.write(`${statusLine(answer)}${linesOf(lines)}\r\n`);
      if (first.length > 0) remote.unshift(first);
      if (rest.length > 0) remote.write(rest);
      pipeline(socket, remote, () => undefined);
      pipeline(remote, new Scrubber(needles), socket, () => {
        record.done(request.socket.bytesRead, request.socket.bytesWritten);
        remote.destroy();
      });
    });
    outgoing.end();
  } catch (error) {
    fail(error);
  }
}

/** Without the host's own words, in which a secret could be. */
function statusLine({ statusCode = 502 }: IncomingMessage): string {
  return `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}\r\n`;
}

function linesOf(pairs: [string, string][]): string {
  return pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
