import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onClose } from './on-close.js';

const LOOK_EVERY_MS = 20;

/**
 * Watches the requests in hand. The given function, called once the server is closing, waits until all are answered,
 * at most `graceMs`, and then cuts every connection: one that a client opened and never used would else hold up the
 * stop for a minute, since Node does not count it as idle.
 */
export function watchRequests(server: FastifyInstance): (graceMs: number) => Promise<void> {
  const inHand = new Set<ServerResponse>();
  server.addHook('onRequest', (_request, reply, done) => {
    inHand.add(reply.raw);
    onClose(reply.raw, () => inHand.delete(reply.raw));
    done();
  });
  return async (graceMs) => {
    const until = Date.now() + graceMs;
    while (inHand.size > 0 && Date.now() < until) await sleep(LOOK_EVERY_MS);
    server.server.closeAllConnections();
  };
}
