import { guardedDispatcher, localDevelopment, publicHttps } from '#lib/net-guard';
import { createLogger } from '#lib/observability';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { issuerDouble } from '../../../test/issuer-double.js';
import { IssuerKeys } from './issuer-keys.js';

const MINUTE = 60_000;
let issuer: Awaited<ReturnType<typeof issuerDouble>>;
let clock = 0;
const dispatchers = [localDevelopment, publicHttps].map((policy) => guardedDispatcher(policy));

beforeAll(async () => {
  issuer = await issuerDouble();
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => (clock += 24 * 60 * MINUTE));
afterAll(async () => {
  vi.restoreAllMocks();
  await Promise.all(dispatchers.map((dispatcher) => dispatcher.close()));
  await issuer.stop();
});

const logger = createLogger('test', { ROOST_LOG_LEVEL: 'silent' });
const keysAt = (path: string, policy = localDevelopment) =>
  new IssuerKeys({
    jwksUrl: `${issuer.origin}${path}`,
    policy,
    dispatcher: dispatchers[policy === publicHttps ? 1 : 0]!,
    logger,
  });
const key = (kid: string) => ({ ...issuer.publicKey, kid });

describe('the keys of an issuer', () => {
  it('follow a rotation: a new kid half a minute after the last fetch, a withdrawn one after ten minutes', async () => {
    issuer.publish('/rotates', { keys: [key('a')] });
    const keys = keysAt('/rotates');
    expect(await keys.find('a', 'RS256')).toBeDefined();
    issuer.publish('/rotates', { keys: [key('b')] });
    clock += 29_000;
    expect(await keys.find('b', 'RS256')).toBeUndefined();
    clock += 2_000;
    expect(await keys.find('b', 'RS256')).toBeDefined();
    expect(await keys.find('a', 'RS256')).toBeUndefined();
    issuer.publish('/rotates', { keys: [] });
    clock += 11 * MINUTE;
    // Whoever comes first does not wait; who comes after the fetch is refused.
    expect(await keys.find('b', 'RS256')).toBeDefined();
    await expect.poll(() => keys.find('b', 'RS256')).toBeUndefined();
  });

  it('are used for an hour while the issuer is away, then nobody gets in until it is back', async () => {
    issuer.publish('/leaves', { keys: [key('a')] });
    const keys = keysAt('/leaves');
    await keys.find('a', 'RS256');
    issuer.publish('/leaves', (response) => response.writeHead(503).end());
    clock += 59 * MINUTE;
    expect(await keys.find('a', 'RS256')).toBeDefined();
    await expect.poll(() => issuer.timesFetched('/leaves')).toBe(2);
    clock += 2 * MINUTE;
    await expect(keys.find('a', 'RS256')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    issuer.publish('/leaves', { keys: [key('a')] });
    clock += 31_000;
    expect(await keys.find('a', 'RS256')).toBeDefined();
  });

  it('are of the algorithm that they state alone', async () => {
    issuer.publish('/alg', { keys: [key('a')] });
    expect(await keysAt('/alg').find('a', 'PS256')).toBeUndefined();
  });

  it('are not fetched where the guard does not allow it', async () => {
    issuer.publish('/inside', { keys: [key('a')] });
    await expect(keysAt('/inside', publicHttps).find('a', 'RS256')).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    expect(issuer.timesFetched('/inside')).toBe(0);
  });

  it('are not followed to where a redirect leads', async () => {
    issuer.publish('/target', { keys: [key('a')] });
    issuer.publish('/redirects', (response) => response.writeHead(302, { location: `${issuer.origin}/target` }).end());
    await expect(keysAt('/redirects').find('a', 'RS256')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(issuer.timesFetched('/target')).toBe(0);
  });
});
