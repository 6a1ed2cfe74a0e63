import { RoostError } from '#lib/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type CallingRequest, endpointOf } from './endpoint.js';
import { refuseHalfCharacters } from './well-formed.js';

/**
 * Teaches the server bodies: JSON is parsed and its bytes are kept, because signatures and idempotency are over
 * bytes; every other content type stays a stream, which endpoints have to accept by name.
 */
export function addBodyParsers(server: FastifyInstance, maxJsonBytes: number): void {
  server.removeAllContentTypeParsers();
  const parseJson = server.getDefaultJsonParser('error', 'error');
  const keepBytesAndParse = (
    request: FastifyRequest,
    body: Buffer,
    done: (error: Error | null, body?: unknown) => void,
  ): void => {
    (request as CallingRequest).rawBody = body;
    // Clients set the content type on POSTs without a body too.
    if (body.length === 0) return done(null, undefined);
    // Whoever takes bytes with a signature reads them once it has looked at the signature.
    if (endpointOf(request.routeOptions)?.accepts?.includes('raw')) return done(null, undefined);
    const text = body.toString('utf8');
    void parseJson(request, text, (error, value) => {
      if (error) done(new RoostError('VALIDATION_ERROR', 'the body is not valid JSON', [{ reason: 'malformed_json' }]));
      else done(halvesIn(text, value), value);
    });
  };
  const options = { parseAs: 'buffer' as const, bodyLimit: maxJsonBytes };
  server.addContentTypeParser('application/json', options, keepBytesAndParse);
  server.addContentTypeParser(/^application\/[\w.]+\+json/, options, keepBytesAndParse);
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

function halvesIn(text: string, value: unknown): Error | null {
  try {
    refuseHalfCharacters(text, value);
    return null;
  } catch (error) {
    return error as Error;
  }
}
