import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** The name under which the daemon asks for the bus; must be the daemon's own BUS_AUTHORITY. */
const busAuthority = 'bus.roost.internal:4222';
// The daemon needs one; one more while it replaces a lost connection.
const maxBusTunnels = 2;

export interface SandboxLinkOptions {
  natsUrl: string;
  /** Fresh credentials of this workspace, for one connection. */
  mintCredentials(): Promise<string>;
  /** Everything that is not the bus: a tunnel to `host:port` of the outside world. Must answer the stream. */
  onTunnel(stream: ServerHttp2Stream, authority: string): void;
}

/**
 * The host's end of a sandbox's only line: HTTP/2 over an unnamed socket pair. CONNECT to the bus' name is piped to NATS,
 * anything else is handed to `onTunnel`.
 */
export class SandboxLink {
  private readonly session: ServerHttp2Session;
  private busTunnels = 0;

  constructor(
    socket: Duplex,
    private readonly options: SandboxLinkOptions,
  ) {
    this.session = performServerHandshake(socket, {
      settings: { initialWindowSize: 1024 * 1024, enableConnectProtocol: false, maxConcurrentStreams: 256 },
      // One session carries a workspace's whole life: Node would end it after a number of refused streams.
      maxSessionInvalidFrames: 1_000,
    });
    this.session.on('error', () => undefined); // the sandbox ended; its exit is what counts
    this.session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      const authority = headers[constants.HTTP2_HEADER_AUTHORITY];
      if (headers[constants.HTTP2_HEADER_METHOD] !== 'CONNECT' || typeof authority !== 'string') refuse(stream, 400);
      else if (authority === busAuthority) void this.openBus(stream);
      else options.onTunnel(stream, authority);
    });
  }

  close(): void {
    this.session.destroy();
  }

  private async openBus(stream: ServerHttp2Stream): Promise<void> {
    if (this.busTunnels >= maxBusTunnels) return refuse(stream, 429);
    this.busTunnels += 1;
    stream.once('close', () => (this.busTunnels -= 1));
    try {
      const [credentials, socket] = await Promise.all([this.options.mintCredentials(), dial(this.options.natsUrl)]);
      if (stream.destroyed) return void socket.destroy();
      stream.respond({ ':status': 200, 'roost-credentials': Buffer.from(credentials).toString('base64') });
      pipeline(socket, stream, socket, () => undefined);
    } catch {
      if (!stream.destroyed) refuse(stream, 502);
    }
  }
}

function refuse(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status }, { endStream: true });
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
