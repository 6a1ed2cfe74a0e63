import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';

/**
 * Ends what would be the body of the answer to a HEAD. Fastify reads a stream to its end for nobody: a gigabyte of a
 * workspace's for each request. To be added before compression.
 */
export function endHeadBodies(server: FastifyInstance): void {
  server.addHook('onSend', (request, _reply, payload, done) => {
    if (request.method !== 'HEAD' || !(payload instanceof Readable)) return done();
    payload.on('error', () => undefined).destroy();
    done(null, Readable.from([]));
  });
}
