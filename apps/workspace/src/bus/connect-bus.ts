import { connect as natsConnect, type NatsConnection } from '@nats-io/transport-node';
import { createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { credsAuthenticator } from '#lib/nats-auth/keys';
import { BUS_AUTHORITY, type HostTunnels } from './host-connection.js';

/**
 * Connects to the bus through a tunnel of the host. The credentials come with the tunnel, fresh for each connection, and
 * the daemon stores them nowhere. The client speaks TCP only: it gets a loopback port that accepts one connection and is gone before
 * any command of the agent runs.
 */
export async function connectBus(host: HostTunnels, inboxPrefix: string): Promise<NatsConnection> {
  const { stream, status, header } = await host.connect(BUS_AUTHORITY);
  const credentials = header('roost-credentials');
  if (status !== 200 || credentials === undefined) {
    stream.destroy();
    throw new Error(`the host refused the bus (${status})`);
  }
  const server = createServer();
  server.once('connection', (socket) => {
    server.close();
    socket.setNoDelay(true);
    pipeline(socket, stream, socket, () => undefined);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  try {
    return await natsConnect({
      servers: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      authenticator: credsAuthenticator(Buffer.from(credentials, 'base64').toString()),
      inboxPrefix,
      // A new connection needs a new tunnel and new credentials: the caller makes both.
      reconnect: false,
      timeout: 5_000,
    });
  } catch (error) {
    server.close();
    stream.destroy();
    throw error;
  }
}
