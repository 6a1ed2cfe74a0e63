import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { Containers } from './containers.js';

const connectTimeoutMs = 2_000;
/** An answer comes sooner, and so does an event stream's heartbeat: then the container is gone without a word. */
const silenceMs = 25_000;

export interface Forwarders {
  /** One on this machine's loopback for each container, and the same as long as it lives. */
  urls: string[];
  close(): void;
}

/** Ways to a service's containers that stay where they are when a container comes back with another address. */
export async function openForwarders(containers: Containers, service: string, port: number): Promise<Forwarders> {
  const ids = await containers.of(service);
  const open = new Set<Socket>();
  const servers = ids.map((id) =>
    createServer((socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => undefined); // the client sees it
      containers
        .addressOf(id, 'outside')
        .then((host) => {
          if (host === undefined) return void socket.destroy();
          const inner = connect({ host, port, noDelay: true });
          inner.setTimeout(connectTimeoutMs).once('timeout', () => inner.destroy());
          inner.once('connect', () => inner.setTimeout(silenceMs));
          pipeline(socket, inner, socket, () => {
            socket.destroy();
            inner.destroy();
          });
        })
        .catch(() => socket.destroy());
    }).listen(0, '127.0.0.1'),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close() {
      for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
