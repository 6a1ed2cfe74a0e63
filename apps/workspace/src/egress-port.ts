import { createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { type HostTunnels, PROXY_AUTHORITY } from './bus/host-connection.js';

const port = 3128;

/**
 * The loopback port that `HTTP_PROXY` of the agent's commands points at. It only carries bytes: what may be reached is
 * decided by the proxy at the host's end, where no code of the agent runs.
 */
export async function openEgressPort(host: HostTunnels): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // the pipeline below ends with it
    host.connect(PROXY_AUTHORITY).then(
      ({ stream, status }) => {
        if (status === 200 && !socket.destroyed) pipeline(socket, stream, socket, () => undefined);
        else {
          stream.destroy();
          socket.destroy();
        }
      },
      () => socket.destroy(),
    );
  });
  server.maxConnections = 128;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
}
