import type { FastifyInstance } from 'fastify';
import { controllers } from '../gateway.module.js';
import { openApiDocument } from './openapi-document.js';

/** Made when it is first asked for: it takes a tenth of a second, which no start should wait for. */
let text: string | undefined;

/** Serves the API's description at `/openapi.json`. */
export function serveOpenApi(fastify: FastifyInstance): void {
  fastify.get('/openapi.json', async (_, reply) => {
    text ??= JSON.stringify(openApiDocument(controllers, '0.1.0'));
    return reply.type('application/json; charset=utf-8').send(text);
  });
}
