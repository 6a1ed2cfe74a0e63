import { credsAuthenticator } from '#lib/nats-auth/keys';
import { type NatsConnection, NatsConnectionImpl, setTransportFactory } from '@nats-io/transport-node';
// The client has no other option for a transport that is Node's in all but where its stream comes from.
import { nodeResolveHost, NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BUS_AUTHORITY, type HostTunnels } from './host-connection.js';

/** The client's transport over a stream that stands already: it needs no more of a socket than every stream has. */
class TunnelTransport extends NodeTransport {
  constructor(private readonly tunnel: Duplex) {
    super();
  }

  override dial(): Promise<Socket> {
    return Promise.resolve(this.tunnel as Socket);
  }
}

/**
 * Connects to the bus through a tunnel of the host. The credentials come with the tunnel, fresh for each connection, and
 * the daemon stores them nowhere. No port stands in between: one that the client could dial, the agent's commands could.
 */
export async function connectBus(host: HostTunnels, inboxPrefix: string): Promise<NatsConnection> {
  const { stream, status, header } = await host.connect(BUS_AUTHORITY);
  const credentials = header('roost-credentials');
  if (status !== 200 || credentials === undefined) {
    stream.destroy();
    throw new Error(`the host refused the bus (${status})`);
  }
  setTransportFactory({ factory: () => new TunnelTransport(stream), dnsResolveFn: nodeResolveHost });
  try {
    return await NatsConnectionImpl.connect({
      authenticator: credsAuthenticator(Buffer.from(credentials, 'base64').toString()),
      inboxPrefix,
      // A new connection needs a new tunnel and new credentials: the caller makes both.
      reconnect: false,
      timeout: 5_000,
    });
  } catch (error) {
    stream.destroy();
    throw error;
  }
}
