import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { traceIdsOf } from '#lib/call-context';
import type { EgressPolicy } from '#lib/contracts';
import {
  guardedAgents,
  guardedConnect,
  type GuardPolicy,
  isBlocked,
  unbracketed,
  type Destination,
} from '#lib/net-guard';
import { RateLimit } from '#lib/rate-limit';
import { AccessRecord, type OnAccess } from './access.js';
import { hopByHop, rawResponse, respond } from './answers.js';
import type { AgentGrants } from './credentials/agent-grants.js';
import { Refusal } from './credentials/authorize.js';
import { placeholdersIn, placeholdersInUrl, basicText } from './credentials/placeholders.js';
import { WithoutPlaceholders } from './credentials/outgoing-body.js';
import { judge, type Verdict } from './network-policy.js';
import { Interceptor, type InterceptorParts } from './tls/intercept.js';
import { Untrusted } from './tls/upstream.js';

export interface ForwardProxyOptions {
  /** Asked at each request, so that a changed setting counts at once. */
  policy(): EgressPolicy;
  guard: GuardPolicy;
  onAccess: OnAccess;
  grants: AgentGrants;
  tls: Omit<InterceptorParts, 'guard'>;
}

/** Of one agent: what its programs hold open at once. */
const maxConnections = 128;
const idleMs = 10 * 60_000;
/** From a connection, or the end of its last request, to the next whole request head: slower ones take a slot for nothing. */
const headMs = 60_000;
/** Of one agent: each costs a lookup and an entry in its log. An installer of packages makes some tens. */
const maxRequestsPerSecond = 200;
/**
 * The only way out of a workspace: a forward HTTP proxy on the trusted side, for CONNECT and for plain HTTP. Every host
 * is judged by the agent's setting, every address by the guard, and every request leaves an entry, allowed or not. TLS
 * passes through unread, except to hosts for which the agent has a grant.
 */
export class ForwardProxy {
  private readonly server: Server;
  private readonly agents: ReturnType<typeof guardedAgents>;
  private readonly clients = new Set<Duplex>();
  private readonly rate = new RateLimit(maxRequestsPerSecond, 1_000);
  /** Ends a connection that sends no request. Node's own deadlines hold only for a server that listens. */
  private readonly headTimers = new WeakMap<Duplex, NodeJS.Timeout>();

  readonly interceptor: Interceptor;

  constructor(private readonly options: ForwardProxyOptions) {
    this.interceptor = new Interceptor({
      ...options.tls,
      ...options,
      whyNot: (destination) => {
        if (!this.rate.take()) return tooMany.reason;
        return sentence(this.judge(destination)) || undefined;
      },
    });
    this.agents = guardedAgents(options.guard);
    this.server = createServer((request, response) => {
      const client: Duplex = request.socket;
      this.headArrived(client);
      response.once('finish', () => this.awaitHead(client));
      if (!this.rate.take()) return respond(response, 429, tooMany.reason);
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
    if (this.clients.size >= maxConnections) return void client.destroy();
    this.clients.add(client);
    client.once('close', () => {
      this.clients.delete(client);
      this.headArrived(client);
    });
    client.on('error', () => undefined); // 'close' follows
    this.awaitHead(client);
    this.server.emit('connection', client);
  }

  close(): void {
    for (const client of this.clients) client.destroy();
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
    const record = this.recordOf(request, target);
    client.on('error', () => undefined);
    const verdict = this.judge(target);
    if (!target || !verdict.isAllowed) {
      client.end(rawResponse('403 Forbidden', sentence(verdict)));
      return record.refused(sentence(verdict));
    }
    const accept = () => void client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    try {
      if (this.options.grants.at(target).length > 0) {
        if (head.length > 0) client.unshift(head);
        return await this.interceptor.serve(client, target, accept);
      }
      const remote = await guardedConnect(target, this.options.guard);
      remote.setTimeout(idleMs, () => remote.destroy());
      accept();
      if (head.length > 0) remote.write(head);
      pipeline(client, remote, client, () => record.done(remote.bytesWritten, remote.bytesRead));
    } catch (error) {
      const { status, reason } = failed(record, target, error);
      client.end(rawResponse(`${status} ${STATUS_CODES[status] ?? ''}`, reason));
    }
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request.url ?? '', true);
    const record = this.recordOf(request, target);
    const verdict = this.judge(target);
    if (!target || !verdict.isAllowed) {
      respond(response, target ? 403 : 400, sentence(verdict));
      return record.refused(sentence(verdict));
    }
    const whyOverTls = this.whyOverTls(request, target);
    if (whyOverTls !== undefined) {
      respond(response, 403, whyOverTls);
      return record.refused(whyOverTls);
    }
    const url = new URL(request.url ?? '');
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.includes(name)));
    await new Promise<void>((resolve) => {
      const fail = (error: unknown) => {
        const { status, reason } = failed(record, target, error);
        if (response.headersSent) response.destroy();
        else respond(response, status, reason);
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
        // Its end is the answer's or the error's, but for a body that may not be sent.
        pipeline(request, new WithoutPlaceholders(), outgoing, (error) => {
          if (error instanceof Refusal) outgoing.destroy(error);
        });
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

  private judge(target: Destination | undefined): Verdict {
    if (!target) return { isAllowed: false, reason: 'The request names no host, or none that HTTP could reach.' };
    return judge(this.options.policy(), target.host, target.port);
  }

  /** Why a plain request may not be sent: what passes here anybody on the way could read. */
  private whyOverTls({ url = '', rawHeaders }: IncomingMessage, { host }: Destination): string | undefined {
    const texts = [...rawHeaders, ...rawHeaders.map((text) => basicText(text) ?? '')];
    const found = [...texts.flatMap(placeholdersIn), ...placeholdersInUrl(url)];
    if (found.length > 0) return 'The request holds a placeholder, and secrets are sent over https only.';
    return this.options.grants.nameHost(host)
      ? `A secret is for ${host}, which is reached over https only.`
      : undefined;
  }

  private recordOf(request: IncomingMessage, target: Destination | undefined): AccessRecord {
    const host = target?.host ?? request.url ?? '';
    return new AccessRecord(this.options.onAccess, { method: request.method ?? '', host, port: target?.port ?? 0 });
  }
}

/** Writes down why a host was not reached, and returns the answer to that. */
function failed(record: AccessRecord, { host }: Destination, error: unknown): { status: number; reason: string } {
  if (isBlocked(error) || error instanceof Refusal) {
    const reason = messageOf(error);
    record.refused(reason);
    return { status: 403, reason };
  }
  const reason = error instanceof Untrusted ? messageOf(error) : `${host} could not be reached.`;
  record.failed(reason);
  return { status: 502, reason };
}

const tooMany = {
  isAllowed: false as const,
  reason: `This agent sends more than ${maxRequestsPerSecond} requests a second.`,
};

function targetOf(text: string, hasPort: boolean): Destination | undefined {
  if (!hasPort || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.hostname === '' || url.username !== '' || url.password !== '') return undefined;
  return { host: unbracketed(url.hostname), port: Number(url.port || 80) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.message.replace(/\.$/, '')}.` : String(error);
}

function sentence(verdict: Verdict): string {
  return verdict.isAllowed ? '' : verdict.reason;
}
