import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** The name that a workspace asks for; must be the daemon's own (apps/workspace/src/bus/host-connection.ts). */
const proxyAuthority = 'proxy.roost.internal:3128';

/** Makes and checks the workspaces' passwords for the egress proxy: the same in every replica, stored in no table. */
export class EgressTokens {
  private readonly key: Buffer;

  constructor(seed: string) {
    this.key = Buffer.from(hkdfSync('sha256', seed.trim(), '', 'roost egress proxy', 32));
  }

  of(agentId: string): string {
    return createHmac('sha256', this.key).update(agentId).digest('base64url');
  }

  /** The agent whose password this is: `Basic <agentId>:<token>`. */
  agentOf(authorization: string | undefined): string | undefined {
    const text = Buffer.from(/^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization ?? '')?.[1] ?? '', 'base64').toString();
    const [agentId = '', token = ''] = text.split(':');
    const [given, wanted] = [Buffer.from(token), Buffer.from(this.of(agentId))];
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? agentId : undefined;
  }
}

/** Of all workspaces, and of whoever else reaches the port before it has authenticated. */
const maxConnections = 8_192;
/** To authenticate. */
const headMs = 10_000;

export interface EgressServiceOptions {
  host: string;
  port: number;
  tokens: EgressTokens;
  /** A connection of an agent's workspace, to be served as by an HTTP proxy. */
  onConnection(agentId: string, stream: Duplex): void;
}

/** Where workspaces in pods find their egress proxy: one TCP port, which nobody without a workspace's token gets past. */
export class EgressService {
  private readonly server: Server;
  private readonly streams = new Set<Duplex>();

  constructor(private readonly options: EgressServiceOptions) {
    this.server = createServer((_, response) => void response.writeHead(405, { connection: 'close' }).end());
    this.server.maxConnections = maxConnections;
    this.server.headersTimeout = headMs;
    this.server.on('connect', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', () => undefined); // 'close' follows
      const agentId = options.tokens.agentOf(request.headers['proxy-authorization']);
      if (agentId === undefined) return void stream.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      if (request.url !== proxyAuthority) return void stream.end('HTTP/1.1 404 Not Found\r\n\r\n');
      this.streams.add(stream);
      stream.once('close', () => this.streams.delete(stream));
      if (head.length > 0) stream.unshift(head);
      stream.write('HTTP/1.1 200 Connection established\r\n\r\n');
      options.onConnection(agentId, stream);
    });
    this.server.on('clientError', (_, stream) => stream.destroy());
  }

  /** Resolves with the port it listens on. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) =>
      this.server.once('error', reject).listen(this.options.port, this.options.host, resolve),
    );
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const stream of this.streams) stream.destroy();
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }
}
