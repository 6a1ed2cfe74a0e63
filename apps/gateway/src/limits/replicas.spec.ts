import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../../test/second-gateway.js';
import { keyOfNewAccount } from '../../test/tenants.js';

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
    await until('the second knows', async () => (await ask(second.api)).status === 429);
    const third = await secondGateway(roost, env);
    try {
      await until('the third knows', async () => (await ask(third.api)).status === 429);
    } finally {
      await third.stop();
    }
  });

  it('count the caller behind a proxy that is trusted, and believe no other', async () => {
    // One request of an address is let through: five callers are five addresses only where the proxy is believed.
    const limit = { ...env, ROOST_ADDRESS_LIMIT_PER_MINUTE: '1' };
    const behind = await secondGateway(roost, { ...limit, ROOST_TRUSTED_PROXIES: '127.0.0.0/8' });
    const alone = await secondGateway(roost, limit);
    const statusesOf = async (api: TestRoost['api']) => {
      const statuses: number[] = [];
      for (let n = 1; n <= 5; n += 1) {
        const headers = { authorization: '', 'x-forwarded-for': `192.0.2.${n}` };
        statuses.push((await api('GET', '/auth/fetch_user', undefined, headers)).status);
      }
      return statuses;
    };
    try {
      expect(await statusesOf(behind.api)).toEqual([401, 401, 401, 401, 401]);
      expect(await statusesOf(alone.api)).toContain(429);
    } finally {
      await Promise.all([behind.stop(), alone.stop()]);
    }
  });

  it('share the limit of tries to sign in', async () => {
    const attempt = (api: TestRoost['api']) =>
      api('POST', '/auth/login', { email: 'ada@example.test', password: 'not the one' }, { authorization: '' });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await attempt(roost.api)).status, (await attempt(second.api)).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  });
});
