import { encode } from '#lib/contracts';
import type { FastifyInstance } from 'fastify';
import { endpointOf } from './endpoint.js';
import { ErrorBody } from './error-body.js';

/** Encodes what methods return by the `response` that their endpoints declare, before it becomes JSON. */
export function encodeResults(server: FastifyInstance): void {
  server.addHook('preSerialization', (request, _reply, payload, done) => {
    const response = payload instanceof ErrorBody ? undefined : endpointOf(request.routeOptions)?.response;
    if (!response) return done(null, payload);
    let encoded: unknown;
    try {
      encoded = encode(response, payload);
    } catch (error) {
      return done(error as Error);
    }
    done(null, encoded);
  });
}
