import compress from '@fastify/compress';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { serveGuide } from './guide-pages.js';
import { securityHeaders } from './security-headers.js';

/** The reference page runs its own script and styles; it loads nothing from elsewhere, and calls nobody else. */
const docsPolicy = (scripts: string) =>
  `default-src 'self'; script-src 'self'${scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'`;
/** Its scripts that are in the page itself, which the policy names by what they are. */
const INLINE_SCRIPT = /<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g;

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

/** Security headers, CORS, compression, the reference page at `/docs`, and the guide where it was made. */
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
  // Before compression, which leaves no text to look at.
  server.addHook('onSend', (request, reply, payload, done) => {
    if (/^\/docs(\/|$|\?)/.test(request.url)) {
      const page = typeof payload === 'string' && reply.getHeader('content-type')?.toString().startsWith('text/html');
      const scripts = page
        ? [...payload.matchAll(INLINE_SCRIPT)].map(([, script = '']) => ` 'sha256-${sha256(script)}'`)
        : [];
      void reply.header('content-security-policy', docsPolicy(scripts.join('')));
    }
    done();
  });
  // Brotli at its default level costs more time than the bytes it saves are worth here.
  await server.register(compress, { encodings: ['gzip', 'deflate'], threshold: 2_048 });
  await server.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Roost API',
      favicon: '/favicon.svg',
      // The field for a key is there at once: what is tried out needs one.
      authentication: { preferredSecurityScheme: 'bearer' },
      defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
      // All that would call somebody else, or offers it.
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
  serveGuide(server);
}
