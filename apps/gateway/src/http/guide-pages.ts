import type { FastifyInstance } from 'fastify';
import { contentType, lookup } from 'mime-types';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm run guide` and the image put the guide. */
const GUIDE_FOLDER = fileURLToPath(import.meta.url.replace(/(\/dist)?\/apps\/gateway\/src\/.*$/, '/dist-guide'));
const PREFIX = '/docs/';
/** VitePress puts a hash of its content into the name of each file there. */
const LASTING = /^assets\//;

/** Whether there is a guide to serve. */
export const hasGuide = (folder = GUIDE_FOLDER): boolean => existsSync(join(folder, 'guide', 'index.html'));

/**
 * Serves the guide at `/docs/guide/`, with the pages it leads to, where `npm run guide` has made it; nothing otherwise.
 * What is served is what was in the folder at the start, so that no path leads out of it.
 */
export function serveGuide(server: FastifyInstance, folder = GUIDE_FOLDER): void {
  if (!hasGuide(folder)) return;
  const files = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll(sep, '/')),
  );
  server.get(`${PREFIX}guide`, (_request, reply) => reply.redirect(`${PREFIX}guide/`));
  server.get(`${PREFIX}*`, async (request, reply) => {
    const { '*': path } = request.params as { '*': string };
    const name = path === '' || path.endsWith('/') ? `${path}index.html` : path;
    const type = lookup(name);
    if (!type || !files.has(name)) return reply.callNotFound();
    const content = await readFile(join(folder, name));
    return reply
      .type(contentType(type) || type)
      .header('cache-control', LASTING.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache')
      .send(type === 'text/html' ? content.toString('utf8') : content);
  });
}
