import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { makeEgressAuthority } from '../apps/agent-lifecycle/src/sandboxes/egress/authority.js';
import { Leaves } from '../apps/egress-proxy/src/tls/leaves.js';
import { grant, startEgress, zone } from '../test/egress/egress-fixture.js';
import { type Figure, type Options } from './runner/bench.js';
import { residentBytes } from './runner/processes.js';

export const name = 'egress';

const part = randomBytes(256 * 1024);

/**
 * A large body up and down over TLS to a host of this machine: directly, and through the egress process where it puts a
 * credential on the request; and the memory that the process needed more. Options: mebibytes=1024.
 */
export async function run(options: Options): Promise<Figure[]> {
  const mebibytes = options.number('mebibytes', 1_024);
  const bytes = mebibytes * 2 ** 20;
  const authority = await makeEgressAuthority();
  const leaves = new Leaves(authority);
  const host = `api.${zone}`;
  const context = await leaves.of(host);
  const server = createServer({ SNICallback: (_, give) => give(null, context) }, (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
      void write(response, bytes).then(() => response.end());
    } else request.resume().once('end', () => response.writeHead(200, { 'content-length': 0 }).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const egress = await startEgress({ authority });
  try {
    const one = grant([`${host}:${port}`]);
    await egress.grant('agent', [one]);
    const direct = async () => {
      const secureContext = createSecureContext({ ca: authority.certificate });
      const socket = connect({ host: '127.0.0.1', port, servername: host, secureContext });
      await once(socket, 'secureConnect');
      return socket;
    };
    const through = () => egress.tls('agent', `${host}:${port}`);
    const asks = (method: string, length: number) =>
      `${method} / HTTP/1.1\r\nhost: ${host}:${port}\r\nconnection: close\r\nauthorization: Bearer ${one.placeholder}\r\ncontent-length: ${length}\r\n\r\n`;
    const rate = async (open: () => Promise<TLSSocket>, method: string) => {
      const socket = await open();
      const startedAt = performance.now();
      socket.write(asks(method, method === 'PUT' ? bytes : 0));
      if (method === 'PUT') void write(socket, bytes);
      let received = 0;
      for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length;
      if (received < (method === 'GET' ? bytes : 15)) throw new Error(`only ${received} bytes came`);
      return mebibytes / ((performance.now() - startedAt) / 1_000);
    };
    const pid = (await egress.proxies.supervisor.pid()) ?? 0;
    await rate(through, 'HEAD');
    const before = residentBytes(pid);
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 20);
    const [downDirect, down] = [await rate(direct, 'GET'), await rate(through, 'GET')];
    const [upDirect, up] = [await rate(direct, 'PUT'), await rate(through, 'PUT')];
    clearInterval(watch);
    return [
      { what: `${mebibytes} MiB down, directly`, value: downDirect, unit: 'MiB/s' },
      {
        what: `${mebibytes} MiB down, of that through the egress process`,
        value: down / downDirect,
        unit: 'of direct',
        atLeast: 0.5,
      },
      { what: `${mebibytes} MiB up, directly`, value: upDirect, unit: 'MiB/s' },
      {
        what: `${mebibytes} MiB up, of that through the egress process`,
        value: up / upDirect,
        unit: 'of direct',
        atLeast: 0.5,
      },
      { what: 'extra memory of the egress process', value: (peak - before) / 2 ** 20, unit: 'MiB', atMost: 128 },
    ];
  } finally {
    await egress.close();
    server.closeAllConnections();
    server.close();
  }
}

async function write(to: NodeJS.WritableStream, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= part.length)
    if (!to.write(left < part.length ? part.subarray(0, left) : part)) await once(to, 'drain');
}
