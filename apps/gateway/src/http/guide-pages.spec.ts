import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '#lib/testing';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { serveGuide } from './guide-pages.js';

describe('the guide at /docs/guide', () => {
  let server: FastifyInstance;
  afterEach(() => server.close());

  const serve = (files: Record<string, string>) => {
    const folder = temporaryFolder();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    writeFileSync(join(folder, '..', 'outside.html'), 'not ours');
    server = fastify();
    server.get('/docs/', () => 'the reference');
    serveGuide(server, folder);
    return async (url: string) => {
      const { statusCode, body, headers } = await server.inject(url);
      return { statusCode, body, type: headers['content-type'], location: headers.location };
    };
  };
  const BUILT = { 'guide/index.html': '<p>guide', 'mcp.html': '<p>mcp', 'assets/app.js': 'x()' };

  it('is served with what it leads to, beside the reference', async () => {
    const get = serve(BUILT);
    expect(await get('/docs/guide')).toMatchObject({ statusCode: 302, location: '/docs/guide/' });
    expect(await get('/docs/guide/')).toMatchObject({ statusCode: 200, body: '<p>guide' });
    expect(await get('/docs/mcp.html')).toMatchObject({ statusCode: 200, type: 'text/html; charset=utf-8' });
    expect(await get('/docs/assets/app.js')).toMatchObject({ statusCode: 200, body: 'x()' });
    expect(await get('/docs/')).toMatchObject({ body: 'the reference' });
  });

  it.each(['/docs/none.html', '/docs/..%2foutside.html', '/docs/%2e%2e/outside.html', '/docs/assets'])(
    'has nothing else: %s',
    async (url) => {
      const get = serve(BUILT);
      expect((await get(url)).statusCode).toBe(404);
    },
  );

  it('is absent where it was not made', async () => {
    const get = serve({});
    expect((await get('/docs/guide/')).statusCode).toBe(404);
  });
});
