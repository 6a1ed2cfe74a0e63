import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { readConfig, WorkspaceConfig } from '../config.js';
import { readHead } from './read-head.js';

/** The names under which the host offers the bus and the egress proxy. */
export const BUS_AUTHORITY = 'bus.roost.internal:4222';
export const PROXY_AUTHORITY = 'proxy.roost.internal:3128';

/** Opens tunnels to the bus and to the egress proxy, by their names. */
export interface HostTunnels {
  connect(authority: string): Promise<{ stream: Duplex; status: number; header(name: string): string | undefined }>;
}

/**
 * The one connection from the sandbox to its host: an HTTP/2 session over an inherited stream. There is no socket file
 * and no port that the agent's commands could dial, and when the host ends, the connection ends with it.
 */
export class HostConnection implements HostTunnels {
  private readonly session: ClientHttp2Session;

  constructor(stream: Duplex, onEnd: () => void) {
    this.session = connect('http://host.roost.internal', {
      createConnection: () => stream,
      settings: { initialWindowSize: 1024 * 1024 },
    });
    // Of all tunnels together; Node's own 64 KiB make each wait for the other end after so many bytes.
    this.session.once('connect', () => this.session.setLocalWindowSize(windowBytes));
    this.session.on('error', () => undefined); // 'close' follows and is what counts
    this.session.once('close', onEnd);
  }

  /** Opens a tunnel. Resolves with the host's answer; a refused tunnel has a status other than 200 and a body. */
  async connect(
    authority: string,
  ): Promise<{ stream: ClientHttp2Stream; status: number; header(name: string): string | undefined }> {
    const stream = this.session.request({
      [constants.HTTP2_HEADER_METHOD]: 'CONNECT',
      [constants.HTTP2_HEADER_AUTHORITY]: authority,
    });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.on('error', () => undefined); // the reader or writer of the stream sees it end
    return {
      stream,
      status: Number(headers[constants.HTTP2_HEADER_STATUS]),
      header: (name) => (typeof headers[name] === 'string' ? headers[name] : undefined),
    };
  }
}

const STREAM_FD = 3;
const windowBytes = 4 * 1024 * 1024;
const maxConfigBytes = 4 * 1024 * 1024;

export interface OpenStream {
  config: WorkspaceConfig;
  /** To the host. */
  stream: Duplex;
}

/** In a local sandbox: the configuration is all of standard input, the stream a socket pair that was handed down. */
export async function openSocketStream(): Promise<OpenStream> {
  const config = await readConfig(process.stdin);
  return { config, stream: new Socket({ fd: STREAM_FD, readable: true, writable: true }) };
}

/**
 * In a container: the configuration is the first line of standard input; what follows, with standard output as the way
 * back, is the stream. Nothing else may ever be written to standard output.
 */
export async function openStandardStream(): Promise<OpenStream> {
  const readable = new Socket({ fd: 0, readable: true, writable: false });
  const writable = new Socket({ fd: 1, readable: false, writable: true });
  const config = WorkspaceConfig.parse(JSON.parse(await readHead(readable, '\n', maxConfigBytes, 'the configuration')));
  return { config, stream: Duplex.from({ readable, writable }) };
}
