import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type SecureContext, type TLSSocket } from 'node:tls';
import type { GuardPolicy, Destination } from '#lib/net-guard';
import { type OnAccess, recordOf } from '../access.js';
import type { AgentGrants } from '../credentials/agent-grants.js';
import { serveHttp1 } from './http1.js';
import { serveHttp2 } from './http2.js';
import type { Leaves } from './leaves.js';
import { connectUpstream, type Protocol } from './upstream.js';

/** What a process has for all its agents. */
export interface InterceptorParts {
  leaves: Pick<Leaves, 'of'>;
  /** Whose certificates of hosts are accepted. Default: Node's own. */
  trust: SecureContext | undefined;
  guard: GuardPolicy;
}

export interface InterceptorOptions extends InterceptorParts {
  grants: AgentGrants;
  whyNot(destination: Destination): string | undefined;
  onAccess: OnAccess;
}

const handshakeMs = 15_000;
const idleMs = 10 * 60_000;
const maxRemembered = 200;

interface Open {
  destination: Destination;
  close(): void;
}

/** Takes the place of the hosts that an agent has grants for, towards its sandbox. */
export class Interceptor {
  private readonly open = new Set<Open>();
  /** Hosts whose clients chose HTTP/1.1 last, so that they are asked for it at once. */
  private readonly http1Only = new Set<string>();

  constructor(private readonly options: InterceptorOptions) {}

  /**
   * Connects to the host, says so to the client of the tunnel by `accept`, and serves it.
   * Errors: as `connectUpstream`; nothing was said to the client then.
   */
  async serve(client: Duplex, destination: Destination, accept: () => void): Promise<void> {
    const { grants, leaves, onAccess } = this.options;
    const { host, port } = destination;
    const authority = `${host.includes(':') ? `[${host}]` : host}${port === 443 ? '' : `:${port}`}`;
    const wanted: Protocol[] = this.http1Only.has(authority) ? ['http/1.1'] : ['h2', 'http/1.1'];
    const [remote, secureContext] = await Promise.all([
      this.connect(destination, wanted),
      leaves.of(host.replace(/\.$/, '').toLowerCase()),
    ]);
    const remotes = new Set([remote]);
    const held = {
      destination,
      close: () => {
        client.destroy();
        for (const each of remotes) each.destroy();
        this.open.delete(held);
      },
    };
    this.open.add(held);
    client.once('close', held.close);
    if (client.destroyed) return held.close();
    accept();
    const reconnect = async () => {
      const another = await this.connect(destination, ['http/1.1']);
      remotes.add(another);
      another.once('close', () => remotes.delete(another));
      if (client.destroyed) another.destroy();
      return another;
    };
    const fail = (reason: string) => {
      this.http1Only.delete(authority);
      recordOf(onAccess, 'CONNECT', destination).refused(reason);
      held.close();
    };
    const ALPNProtocols = remote.alpnProtocol === 'h2' ? ['h2', 'http/1.1'] : ['http/1.1'];
    // Of this one connection. With the host's certificate as its only context, whatever name is asked for.
    const server = createServer({
      ALPNProtocols,
      handshakeTimeout: handshakeMs,
      SNICallback: (_, give) => give(null, secureContext),
    });
    server.once('tlsClientError', () =>
      fail('The client does not trust the certificate of this Roost, or sends no TLS.'),
    );
    server.once('secureConnection', (secure: TLSSocket) => {
      secure.on('error', () => undefined); // 'close' follows
      secure.setTimeout(idleMs, () => held.close());
      secure.once('close', held.close);
      const wrong = wrongName(secure.servername, host);
      if (wrong !== undefined) return fail(wrong);
      const parts = {
        destination,
        authority,
        grants,
        whyNot: () => this.options.whyNot(destination),
        record: (method: string) => recordOf(onAccess, method, destination),
        upstream: remote,
        reconnect,
      };
      if (secure.alpnProtocol === 'h2') return serveHttp2(secure, parts);
      if (remote.alpnProtocol === 'h2') {
        this.remember(authority);
        remote.destroy();
      }
      serveHttp1(secure, parts);
    });
    server.setSecureContext({});
    server.emit('connection', client);
  }

  /** Ends the connections for which something changed: what they carried may not be carried any more. */
  closeWhere(hasChanged: (destination: Destination) => boolean): void {
    for (const held of this.open) if (hasChanged(held.destination)) held.close();
  }

  private async connect(destination: Destination, protocols: Protocol[]): Promise<TLSSocket> {
    const remote = await connectUpstream(destination, protocols, this.options);
    remote.setTimeout(idleMs, () => remote.destroy());
    return remote;
  }

  private remember(authority: string): void {
    if (this.http1Only.size >= maxRemembered) this.http1Only.clear();
    this.http1Only.add(authority);
  }
}

/** The name in TLS must be that of the tunnel. An address has none (RFC 6066, 3). */
function wrongName(servername: string | false | undefined | null, host: string): string | undefined {
  const name = host.replace(/\.$/, '').toLowerCase();
  if (servername ? servername.toLowerCase() === name : isIP(name) !== 0) return undefined;
  return `The name in TLS (${servername ? servername.slice(0, 100) : 'none'}) is not the host ${name} of the tunnel.`;
}
