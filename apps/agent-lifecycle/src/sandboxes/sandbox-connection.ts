import { type Duplex, pipeline } from 'node:stream';
import {
  constants,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, type Socket } from 'node:net';
import { AgentProxies, type AgentProxiesOptions } from './egress/agent-proxies.js';
import { RateLimit } from '#lib/rate-limit';
import type { NetworkLogEntry, NetworkPolicy } from './workspace-driver.js';

/** The names under which the daemon asks for them; must be the daemon's own (apps/workspace/src/bus/host-connection.ts). */
const busAuthority = 'bus.roost.internal:4222';
const proxyAuthority = 'proxy.roost.internal:3128';
/** Of all tunnels together: with Node's own 64 KiB each would wait for the other end after so many bytes. */
const windowBytes = 4 * 1024 * 1024;
// The daemon needs one; one more while it replaces a lost connection.
const maxBusTunnels = 2;
/** Each costs a signature and a connection to the bus; a daemon that lost its connection asks every two seconds at most. */
const maxBusDialsPerMinute = 120;

export interface SandboxConnectionOptions {
  natsUrl: string;
  /** Fresh credentials of this workspace, for one connection. */
  mintCredentials(): Promise<string>;
  /** A connection of some command in the sandbox to the egress proxy. */
  onProxyConnection(stream: Duplex): void;
}

/**
 * The host's end of a sandbox's only connection: HTTP/2 over an unnamed socket pair. CONNECT to the bus' name is piped to NATS,
 * to the proxy's name handed to the egress proxy.
 */
export class SandboxConnection {
  private readonly session: ServerHttp2Session;
  private busTunnels = 0;
  private readonly busDials = new RateLimit(maxBusDialsPerMinute, 60_000);

  constructor(
    socket: Duplex,
    private readonly options: SandboxConnectionOptions,
  ) {
    this.session = performServerHandshake(socket, {
      settings: { initialWindowSize: 1024 * 1024, enableConnectProtocol: false, maxConcurrentStreams: 256 },
      // One session carries a workspace's whole life: Node would end it after a number of refused streams.
      maxSessionInvalidFrames: 1_000,
    });
    this.session.setLocalWindowSize(windowBytes);
    this.session.on('error', () => undefined); // the sandbox ended; its exit is what counts
    this.session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      const authority = headers[constants.HTTP2_HEADER_AUTHORITY];
      if (headers[constants.HTTP2_HEADER_METHOD] !== 'CONNECT' || typeof authority !== 'string') refuse(stream, 400);
      else if (authority === busAuthority) void this.openBus(stream);
      else if (authority === proxyAuthority) {
        if (respond(stream, { ':status': 200 })) options.onProxyConnection(stream);
      } else refuse(stream, 404);
    });
  }

  close(): void {
    this.session.destroy();
  }

  private async openBus(stream: ServerHttp2Stream): Promise<void> {
    if (this.busTunnels >= maxBusTunnels || !this.busDials.take()) return refuse(stream, 429);
    this.busTunnels += 1;
    stream.once('close', () => (this.busTunnels -= 1));
    try {
      const [credentials, socket] = await Promise.all([this.options.mintCredentials(), dial(this.options.natsUrl)]);
      const answer = { ':status': 200, 'roost-credentials': Buffer.from(credentials).toString('base64') };
      if (respond(stream, answer)) pipeline(socket, stream, socket, () => undefined);
      else socket.destroy();
    } catch {
      refuse(stream, 502);
    }
  }
}

export interface HostConnectionsOptions extends AgentProxiesOptions {
  natsUrl: string;
  /** Bus credentials of one workspace, asked for at each connection. */
  mintCredentials(agentId: string): Promise<string>;
}

/** The host's ends of the workspaces' connections: each leads to the bus and, by the agent's policy, to the outside. */
export class HostConnections {
  private readonly policies = new Map<string, NetworkPolicy>();
  private readonly proxies: AgentProxies;

  constructor(private readonly options: HostConnectionsOptions) {
    this.proxies = new AgentProxies(options, (agentId) => this.policies.get(agentId) ?? { mode: 'none' });
  }

  /** Counts when it resolves, for open connections too. */
  setPolicy(agentId: string, policy: NetworkPolicy): Promise<void> {
    this.policies.set(agentId, policy);
    return this.proxies.refresh(agentId);
  }

  /** What sandboxes shall trust besides their system's certificates, PEM. */
  certificate(): Promise<string> {
    return this.proxies.certificate();
  }

  /** Serves a workspace over its connection until that ends or is closed. */
  open(agentId: string, stream: Duplex): SandboxConnection {
    const { natsUrl, mintCredentials } = this.options;
    this.proxies.prepare(agentId);
    // Signing takes a while: the credentials of the first connection are made while the workspace starts.
    let first: Promise<string> | undefined = mintCredentials(agentId);
    first.catch(() => undefined); // whoever asks for them gets the error
    return new SandboxConnection(stream, {
      natsUrl,
      mintCredentials: () => {
        const minted = first ?? mintCredentials(agentId);
        first = undefined;
        return minted;
      },
      onProxyConnection: (client) => this.proxies.accept(agentId, client),
    });
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.proxies.networkLog(agentId, limit);
  }

  async remove(agentId: string): Promise<void> {
    this.policies.delete(agentId);
    await this.proxies.remove(agentId);
  }

  close(): Promise<void> {
    return this.proxies.close();
  }
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  respond(stream, { ':status': status }, { endStream: true });
}

/** False when the other end has given the stream up already: answering it would throw. */
function respond(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, options = {}): boolean {
  if (stream.closed || stream.destroyed) return false;
  stream.respond(headers, options);
  return true;
}

function dial(natsUrl: string): Promise<Socket> {
  const { hostname, port } = new URL(natsUrl.split(',')[0] ?? '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 4222), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined); // the tunnel closes with it
      resolve(socket);
    });
  });
}
