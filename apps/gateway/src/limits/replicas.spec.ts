import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../testing/second-gateway.js';
import { keyOfNewAccount } from '../testing/tenants.js';

const env = { ROOST_RATE_LIMIT_PER_MINUTE: '30' };

describe('two gateways', () => {
  let roost: TestRoost;
  let second: Awaited<ReturnType<typeof secondGateway>>;
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'], env });
    second = await secondGateway(roost, env);
  });
  afterAll(async () => {
    await second?.stop();
    await roost?.stop();
  });

  it('share one rate limit, which a replica that starts anew knows too', async () => {
    const authorization = `Bearer ${await keyOfNewAccount(roost, true)}`;
    const ask = (api: TestRoost['api']) => api('GET', '/auth/fetch_user', undefined, { authorization });
    // What the first lets through is soon known to the second.
    await until('the first is at its limit', async () => (await ask(roost.api)).status === 429, { everyMs: 1 });
    await until('the second knows', async () => (await ask(second.api)).status === 429, { timeoutMs: 30_000 });
    const third = await secondGateway(roost, env);
    try {
      await until('the third knows', async () => (await ask(third.api)).status === 429, { timeoutMs: 30_000 });
    } finally {
      await third.stop();
    }
  });

  it('count the caller behind a proxy that is trusted, and believe no other', async () => {
    const login = (api: TestRoost['api'], caller: string) =>
      api(
        'POST',
        '/auth/login',
        { email: `user-${caller}@example.test`, password: 'not the one' },
        { authorization: '', 'x-forwarded-for': caller, 'idempotency-key': 'one' },
      );
    const behind = await secondGateway(roost, { ...env, ROOST_TRUSTED_PROXIES: '127.0.0.0/8' });
    try {
      // A key is the caller's own: the same from another address is another key.
      expect((await login(behind.api, '192.0.2.1')).status).toBe(401);
      expect((await login(behind.api, '192.0.2.2')).status).toBe(401);
    } finally {
      await behind.stop();
    }
    expect((await login(roost.api, '192.0.2.3')).status).toBe(401);
    expect((await login(roost.api, '192.0.2.4')).status).toBe(422);
  });

  it('share the limit of tries to sign in', async () => {
    const attempt = (api: TestRoost['api']) =>
      api('POST', '/auth/login', { email: 'ada@example.test', password: 'not the one' }, { authorization: '' });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await attempt(roost.api)).status, (await attempt(second.api)).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  });
});
