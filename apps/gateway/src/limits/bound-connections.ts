import proxyAddresses from '@fastify/proxy-addr';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { rawError } from '../http/raw-error.js';
import { addressKey } from './address-key.js';

/**
 * Lets one address hold at most `max` connections; a further one is answered with 429 and closed before anything is
 * read from it. Trusted proxies, which speak for many, are not counted.
 */
export function boundConnections(server: Server, max: number, trustedProxies: string[]): void {
  const isTrusted = proxyAddresses.compile(trustedProxies);
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined || isTrusted(address, 0)) return;
    const key = addressKey(address);
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
    if (count <= max) return;
    socket.end(rawError('RATE_LIMITED', `at most ${max} connections from one address; close some first`));
    socket.destroySoon();
  });
}
