import compress from '@fastify/compress';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { securityHeaders } from './security-headers.js';

/** The reference page runs its own script and styles; it loads nothing from elsewhere. */
const DOCS_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:";

/** Security headers, CORS, compression and the reference page at `/docs`. */
export async function registerHttpPlugins(
  app: NestFastifyApplication,
  server: FastifyInstance,
  corsOrigins: string,
): Promise<void> {
  const headers = securityHeaders();
  server.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers);
    done();
  });
  const origins = corsOrigins.split(',').filter(Boolean);
  if (origins.length > 0) {
    app.enableCors({
      origin: origins,
      exposedHeaders: ['x-request-id', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
    });
  }
  // Brotli at its default level costs more time than the bytes it saves are worth here.
  await server.register(compress, { encodings: ['gzip', 'deflate'], threshold: 2_048 });
  await server.register(scalar, {
    routePrefix: '/docs',
    configuration: { url: '/openapi.json', withDefaultFonts: false, telemetry: false },
  });
  server.addHook('onSend', (request, reply, _payload, done) => {
    if (/^\/docs(\/|$|\?)/.test(request.url)) void reply.header('content-security-policy', DOCS_POLICY);
    done();
  });
}
