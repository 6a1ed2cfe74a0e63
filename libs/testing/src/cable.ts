import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Cable {
  /** The server's, by way of the cable. */
  url: string;
  /** Passes nothing on any more, and ends no connection: as a network that drops. What is lost stays lost. */
  silence(is: boolean): void;
  /** Ends all connections; new ones are taken. */
  cut(): void;
  close(): void;
}

/** A cable to a server, which can go silent or be cut. */
export async function cableTo(server: string): Promise<Cable> {
  const url = new URL(server);
  const { hostname, port } = url;
  // The folder of PostgreSQL's socket, where it has one.
  const folder = url.searchParams.get('host');
  url.searchParams.delete('host');
  const sockets: Socket[] = [];
  let isSilent = false;
  const cable = createServer((client) => {
    const upstream = folder ? connect(`${folder}/.s.PGSQL.${port}`) : connect(Number(port), hostname);
    sockets.push(client, upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk) => void (isSilent || to.write(chunk)));
      from.on('error', () => undefined); // the other end is gone too
      from.on('close', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(cable, 'listening');
  url.hostname = '127.0.0.1';
  url.port = String((cable.address() as AddressInfo).port);
  const cut = () => {
    for (const socket of sockets.splice(0)) socket.destroy();
  };
  return {
    url: url.href,
    silence: (is) => void (isSilent = is),
    cut,
    close() {
      cut();
      cable.close();
    },
  };
}
