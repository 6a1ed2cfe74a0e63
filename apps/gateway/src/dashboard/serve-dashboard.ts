import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isRead } from '../http/request.js';
import { securityHeaders } from '../http/security-headers.js';

/** Made by `tools/build.mjs`: the gateway runs as well without it, as an API alone. */
export const DASHBOARD_FOLDER = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/apps\/gateway\/src\/.*$/, '/dist/dashboard'),
);

/** Only files of our own: no inline script or style, nothing of another host, no frame around it, no form elsewhere. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self'"],
  ...["manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

/** Addresses of programs: what is not there among them is answered with an error, to browsers too. */
const OF_THE_API = /^\/(v1|auth|docs|health|assets|metrics|\.well-known|openapi\.json)(\/|$|\?)/;

/** Their names hold a hash of their content. */
const IMMUTABLE = /^assets\//;

/**
 * Serves the dashboard's files, and its page for every other address that a browser navigates to: the page itself knows
 * which it has. No route of the API is shadowed, and nobody is asked who they are. To be called before authentication.
 */
export async function serveDashboard(server: FastifyInstance, folder = DASHBOARD_FOLDER): Promise<void> {
  if (!existsSync(`${folder}/index.html`)) return;
  const files = new Set(filesIn(folder));
  await server.register(fastifyStatic, { root: folder, serve: false, preCompressed: true, cacheControl: false });
  const headers = { ...securityHeaders(), 'content-security-policy': POLICY };
  server.addHook('onRequest', async (request, reply) => {
    if (!isRead(request.method)) return;
    const file = fileOf(request, files);
    if (file !== undefined) return send(reply, file, headers);
  });
}

function fileOf(request: FastifyRequest, files: Set<string>): string | undefined {
  const [path = ''] = request.url.split('?', 1);
  const name = path.slice(1);
  if (name !== 'index.html' && files.has(name)) return name;
  const isRoute = !request.is404 && path !== '/';
  return !isRoute && isNavigation(request) && !OF_THE_API.test(path) ? 'index.html' : undefined;
}

/** A person's browser asks for a page: programs ask for anything, or for JSON. */
const isNavigation = ({ headers }: FastifyRequest) => headers.accept?.includes('text/html') === true;

function send(reply: FastifyReply, file: string, headers: Record<string, string>): FastifyReply {
  const cacheControl = IMMUTABLE.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache';
  void reply.headers({ ...headers, 'cache-control': cacheControl, vary: 'accept, accept-encoding' });
  return reply.sendFile(file);
}

/** Relative to the folder; those that are compressed beforehand are sent in place of their originals. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map(({ parentPath, name }) => `${parentPath.slice(folder.length)}/${name}`.replace(/^\/+/, ''));
}
