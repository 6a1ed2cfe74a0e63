import { createHash } from 'node:crypto';
import { startRoost, type TestRoost, until } from '#lib/testing';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addRootPage } from './root-page.js';

interface ErrorBody {
  error: { code: string };
}

const ORIGIN = 'https://app.example.org';

describe('the HTTP plugins of the gateway', () => {
  let roost: TestRoost;
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'], env: { ROOST_CORS_ORIGINS: ORIGIN } });
  });
  afterAll(async () => roost?.stop());
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${roost.url}${path}`, { headers: { authorization: `Bearer ${roost.apiKey}`, ...headers } });

  it('refuses a caller before reading the body', async () => {
    // Were it parsed, the answer would be that it is no JSON.
    const body = 'x'.repeat(8 * 2 ** 20);
    const type = { 'content-type': 'application/json' };
    const answers = [
      await roost.api<ErrorBody>('POST', '/v1/agent/create', body, { ...type, authorization: '' }),
      await roost.api<ErrorBody>('POST', '/v1/agent/create', body, { ...type, authorization: 'Bearer roost_sk_no' }),
    ];
    for (const answer of answers) expect([answer.status, answer.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    const known = await roost.api<ErrorBody>('POST', '/v1/agent/create', body, type);
    expect([known.status, known.body.error.code]).toEqual([400, 'VALIDATION_ERROR']);
  });

  it('reads little of what anybody may send', async () => {
    const body = { email: 'a@example.test', password: 'p'.repeat(70_000) };
    const answer = await roost.api<ErrorBody>('POST', '/auth/login', body, { authorization: '' });
    expect([answer.status, answer.body.error.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  it('leads a visitor of / on, a person by links and a program by JSON', async () => {
    // As it is where no dashboard was built.
    const bare = fastify();
    addRootPage(bare, '/docs/guide/');
    const page = await bare.inject({ url: '/', headers: { accept: 'text/html,*/*' } });
    expect(page.headers['content-type']).toContain('text/html');
    const places = (await (await fetch(roost.url)).json()) as Record<string, string>;
    const guide = expect.stringContaining('/docs/guide/') as string;
    expect(places).toMatchObject({ name: 'Roost', guide, docs: '/docs', openapi: '/openapi.json' });
    const links = [...page.body.matchAll(/href="([^"]+)"/g)].map(([, link]) => link);
    expect(links).toEqual(['/docs/guide/', places['docs'], places['openapi'], places['health']]);
    for (const link of [places['docs'], places['openapi']])
      expect((await fetch(`${roost.url}${link}`)).status, link).toBe(200);
  });

  it('says what is left of the rate limit', async () => {
    const isOfOneMinute = ([first, second]: Response[]) =>
      Number(second!.headers.get('ratelimit-reset')) <= Number(first!.headers.get('ratelimit-reset'));
    const [first, second] = await until('two of one minute', async () => {
      const both = [await get('/auth/fetch_user'), await get('/auth/fetch_user')] as const;
      return isOfOneMinute([...both]) && both;
    });
    expect(first.headers.get('ratelimit-limit')).toBe('1000');
    expect(Number(first.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect(Number(second.headers.get('ratelimit-remaining'))).toBeLessThan(
      Number(first.headers.get('ratelimit-remaining')),
    );
  });

  it('compresses what is long and leaves the rest', async () => {
    const long = await get('/openapi.json', { 'accept-encoding': 'gzip' });
    expect(long.headers.get('content-encoding')).toBe('gzip');
    expect(await long.json()).toHaveProperty('openapi');
    expect((await get('/auth/fetch_user', { 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBeNull();
  });

  it('lets pages of the configured origins call it, refusals included, and no others', async () => {
    const origins = async (path: string, origin: string, headers: Record<string, string> = {}) =>
      (await get(path, { origin, ...headers })).headers.get('access-control-allow-origin');
    expect(await origins('/auth/fetch_user', ORIGIN)).toBe(ORIGIN);
    expect(await origins('/auth/fetch_user', ORIGIN, { authorization: 'Bearer no' })).toBe(ORIGIN);
    expect(await origins('/auth/fetch_user', 'https://evil.example.org')).not.toBe('https://evil.example.org');
    const preflight = await fetch(`${roost.url}/v1/agent/create`, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
  });

  it('sends security headers', async () => {
    const { headers } = await get('/auth/fetch_user');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('strict-transport-security')).toMatch(/max-age/);
  });

  it('serves its reference page from here alone', async () => {
    const page = await get('/docs/');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe-eval');
    const html = await page.text();
    expect(html).toContain('<title>Roost API</title>');
    expect(html).toContain('openapi.json');
    // The page's own script is allowed by its hash, and no other.
    const [, script = ''] = /<script(?![^>]*src=)[^>]*>([\s\S]*?)<\/script>/.exec(html) ?? [];
    expect(script).toContain('createApiReference');
    const hash = createHash('sha256').update(script).digest('base64');
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect((await get('/docs/js/scalar.js')).status).toBe(200);
    for (const [, source] of html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g))
      expect(source).not.toMatch(/^(https?:)?\/\//);
  });
});
