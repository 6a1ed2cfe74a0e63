import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { Duplex } from 'node:stream';

/** The names under which the host offers the bus and the egress proxy. */
export const BUS_AUTHORITY = 'bus.roost.internal:4222';
export const PROXY_AUTHORITY = 'proxy.roost.internal:3128';

/** Whatever leads to the bus and the egress proxy, by their names. */
export interface Link {
  connect(authority: string): Promise<{ stream: Duplex; status: number; header(name: string): string | undefined }>;
}

/**
 * The one line from the sandbox to its host: an HTTP/2 session over an inherited line. There is no
 * socket file and no port that the agent's commands could dial, and when the host ends the line ends with it.
 */
export class HostLink implements Link {
  private readonly session: ClientHttp2Session;

  constructor(line: Duplex, onEnd: () => void) {
    this.session = connect('http://host.roost.internal', {
      createConnection: () => line,
      settings: { initialWindowSize: 1024 * 1024 },
    });
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
