import type { FastifyInstance } from 'fastify';
import { hasGuide } from './guide-pages.js';

/** Where a visitor of `/` goes on. */
const PLACES = {
  docs: '/docs',
  openapi: '/openapi.json',
  health: '/health/ready',
};

/** Where nobody has made the guide's pages, its text is in the folder that Roost was installed from. */
const GUIDE_IN_CLONE = 'docs/guide/README.md of the clone; npm run guide serves it at /docs/guide/';

/** For browsers, where there is no dashboard. Without style and script: neither is allowed here. */
const page = (guide: string | undefined) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Roost</title>
<h1>Roost</h1>
<p>This is the API of a Roost, a home for always-on AI agents. It runs.
<ul>${guide === undefined ? '' : `\n<li><a href="${guide}">Guide</a>`}
<li><a href="${PLACES.docs}">Reference</a>
<li><a href="${PLACES.openapi}">OpenAPI document</a>
<li><a href="${PLACES.health}">Health</a>
</ul>
<p>On the machine that runs it: <code>npx roost chat</code>
</html>
`;

/** `GET /`: says what answers here, and where to go on. */
export function addRootPage(server: FastifyInstance, guide = hasGuide() ? '/docs/guide/' : undefined): void {
  server.get('/', async (request, reply) => {
    // A cache may keep both forms.
    void reply.header('vary', 'accept');
    if (request.headers.accept?.includes('text/html')) return reply.type('text/html; charset=utf-8').send(page(guide));
    return { name: 'Roost', guide: guide ?? GUIDE_IN_CLONE, ...PLACES };
  });
}
