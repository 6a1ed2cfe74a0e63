import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { traceIdsOf } from '#lib/call-context';
import { guardedAgents, guardedConnect, type GuardPolicy, isBlocked, unbracketed } from '#lib/net-guard';
import { RateLimit } from '../rate-limit.js';
import type { NetworkPolicy } from '../workspace-driver.js';
import type { EgressEntry } from './egress-log.js';
import { judge, type Verdict } from './egress-policy.js';

export interface EgressProxyOptions {
  /** Asked at each request, so that a changed setting counts at once. */
  policy(): NetworkPolicy;
  guard: GuardPolicy;
  onAccess(entry: EgressEntry): void;
}

interface Target {
  host: string;
  port: number;
}

/** Of one agent: what its programs hold open at once. */
const maxConnections = 128;
const idleMs = 10 * 60_000;
/** From a connection, or the end of its last request, to the next whole request head: slower ones take a slot for nothing. */
const headMs = 60_000;
/** Of one agent: each costs a lookup and an entry in its log. An installer of packages makes some tens. */
const maxRequestsPerSecond = 200;
/** Headers that concern one connection only (RFC 9110, 7.6.1). */
const hopByHop = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * The only way out of a workspace: a forward HTTP proxy on the trusted side, for CONNECT and for plain HTTP. Every host
 * is judged by the agent's setting, every address by the guard, and every request leaves an entry, allowed or not.
 */
export class EgressProxy {
  private readonly server: Server;
  private readonly agents: ReturnType<typeof guardedAgents>;
  private connections = 0;
  private readonly rate = new RateLimit(maxRequestsPerSecond, 1_000);
  /** Ends a connection that sends no request. Node's own deadlines hold only for a server that listens. */
  private readonly headTimers = new WeakMap<Duplex, NodeJS.Timeout>();

  constructor(private readonly options: EgressProxyOptions) {
    this.agents = guardedAgents(options.guard);
    this.server = createServer((request, response) => {
      const client: Duplex = request.socket;
      this.headArrived(client);
      response.once('finish', () => this.awaitHead(client));
      if (!this.rate.take()) return respond(response, 429, tooMany);
      this.forward(request, response).catch(() => client.destroy());
    });
    this.server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
      this.headArrived(client);
      if (!this.rate.take()) return void client.end(rawResponse('429 Too Many Requests', tooMany.reason));
      this.tunnel(request, client, head).catch(() => client.destroy());
    });
    this.server.on('clientError', (_, client) => {
      if (client.writable) client.end(rawResponse('400 Bad Request', 'This is no HTTP request that a proxy can read.'));
      else client.destroy();
    });
  }

  /** Serves HTTP to a client of the workspace over this stream. */
  accept(client: Duplex): void {
    if (this.connections >= maxConnections) return void client.destroy();
    this.connections += 1;
    client.once('close', () => {
      this.connections -= 1;
      this.headArrived(client);
    });
    client.on('error', () => undefined); // 'close' follows
    this.awaitHead(client);
    this.server.emit('connection', client);
  }

  private awaitHead(client: Duplex): void {
    this.headArrived(client);
    if (!client.destroyed) this.headTimers.set(client, setTimeout(() => client.destroy(), headMs).unref());
  }

  private headArrived(client: Duplex): void {
    clearTimeout(this.headTimers.get(client));
  }

  private async tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const target = targetOf(`http://${request.url ?? ''}`, /:\d+$/.test(request.url ?? ''));
    const record = this.recorder(request, target);
    client.on('error', () => undefined);
    const verdict = this.judge(target);
    if (!target || !verdict.isAllowed) {
      client.end(refusal(verdict));
      return record.refused(verdict);
    }
    try {
      const remote = await guardedConnect(target, this.options.guard);
      remote.setTimeout(idleMs, () => remote.destroy());
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) remote.write(head);
      pipeline(client, remote, client, () => record.done(remote.bytesWritten, remote.bytesRead));
    } catch (error) {
      client.end(record.failed(error));
    }
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request.url ?? '', true);
    const record = this.recorder(request, target);
    const verdict = this.judge(target);
    if (!target || !verdict.isAllowed) {
      respond(response, target ? 403 : 400, verdict);
      return record.refused(verdict);
    }
    const url = new URL(request.url ?? '');
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.includes(name)));
    await new Promise<void>((resolve) => {
      const fail = (error: unknown) => {
        record.failed(error);
        if (response.headersSent) response.destroy();
        else
          respond(response, isBlocked(error) ? 403 : 502, {
            isAllowed: false,
            reason: isBlocked(error) ? messageOf(error) : `${target.host} could not be reached.`,
          });
        resolve();
      };
      try {
        const outgoing = httpRequest(
          {
            host: target.host,
            port: target.port,
            method: request.method,
            path: `${url.pathname}${url.search}`,
            headers: { ...headers, ...this.traceOf(request), host: url.host },
            agent: this.agents.http,
            timeout: idleMs,
          },
          (answer) => {
            try {
              response.writeHead(
                answer.statusCode ?? 502,
                Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.includes(name))),
              );
            } catch (error) {
              // Node reads answers that it does not write, e.g. with the status 099.
              answer.destroy();
              return fail(error);
            }
            pipeline(answer, response, () => {
              record.done(outgoing.socket?.bytesWritten ?? 0, outgoing.socket?.bytesRead ?? 0);
              resolve();
            });
          },
        );
        outgoing.once('error', fail);
        outgoing.once('timeout', () => outgoing.destroy(new Error('idle for too long')));
        pipeline(request, outgoing, () => undefined); // its end is the answer's or the error's
      } catch (error) {
        fail(error);
      }
    });
  }

  /** The trace that a command was given, where its agent's owner lets it out and the program names none itself. */
  private traceOf({ headers }: IncomingMessage): { traceparent?: string } {
    if (!this.options.policy().traceContext || headers.traceparent !== undefined) return {};
    const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]{1,200})$/i.exec(headers['proxy-authorization'] ?? '') ?? [];
    const [traceparent] = Buffer.from(encoded, 'base64').toString('latin1').split(':');
    return traceparent !== undefined && traceIdsOf(traceparent) ? { traceparent } : {};
  }

  private judge(target: Target | undefined): Verdict {
    if (!target) return { isAllowed: false, reason: 'The request names no host, or none that HTTP could reach.' };
    return judge(this.options.policy(), target.host, target.port);
  }

  private recorder(request: IncomingMessage, target: Target | undefined) {
    const startedAt = Date.now();
    const write = (verdict: EgressEntry['verdict'], reason: string | null, bytesSent = 0, bytesReceived = 0) =>
      this.options.onAccess({
        at: new Date(startedAt),
        method: request.method ?? '',
        host: (target?.host ?? request.url ?? '').slice(0, 300),
        port: target?.port ?? 0,
        verdict,
        reason,
        bytesSent,
        bytesReceived,
        durationMs: Date.now() - startedAt,
      });
    return {
      refused: (verdict: Verdict) => write('refused', verdict.isAllowed ? null : verdict.reason),
      done: (sent: number, received: number) => write('allowed', null, sent, received),
      /** The answer for a tunnel that could not be made. */
      failed: (error: unknown): string => {
        const reason = isBlocked(error) ? messageOf(error) : `${target?.host ?? 'the host'} could not be reached.`;
        write(isBlocked(error) ? 'refused' : 'failed', reason);
        return isBlocked(error) ? refusal({ isAllowed: false, reason }) : rawResponse('502 Bad Gateway', reason);
      },
    };
  }
}

const tooMany = {
  isAllowed: false as const,
  reason: `This agent sends more than ${maxRequestsPerSecond} requests a second.`,
};

function targetOf(text: string, hasPort: boolean): Target | undefined {
  if (!hasPort || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.hostname === '' || url.username !== '' || url.password !== '') return undefined;
  return { host: unbracketed(url.hostname), port: Number(url.port || 80) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.message}.` : String(error);
}

function sentence(verdict: Verdict): string {
  return verdict.isAllowed ? '' : verdict.reason;
}

function refusal(verdict: Verdict): string {
  return rawResponse('403 Forbidden', sentence(verdict));
}

function rawResponse(status: string, reason: string): string {
  const body = `Roost: ${reason}\n`;
  return `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

function respond(response: ServerResponse, status: number, verdict: Verdict): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
    .end(`Roost: ${sentence(verdict)}\n`);
}
