import type { FastifyInstance } from 'fastify';

/** How long a refused upload may go on: enough for the answer to reach a client that writes before it reads. */
const LINGER_MS = 5_000;

/**
 * Takes what a client still sends after it was answered, and throws it away, for a while. Closing at once would reset
 * the connection, and a client that is busy sending would see that reset instead of the 413 or 507 that says why.
 */
export function finishBodies(server: FastifyInstance): void {
  server.addHook('onResponse', (request, _reply, done) => {
    const { raw } = request;
    if (!raw.complete && !raw.destroyed) {
      const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS).unref();
      raw.once('close', () => clearTimeout(timer));
      raw.once('end', () => clearTimeout(timer));
      // A stream that nobody reads any more would hold the rest back.
      raw.unpipe();
      raw.resume();
    }
    done();
  });
}
