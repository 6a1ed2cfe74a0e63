import { startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeInLog } from '../../test/tenants.js';

interface Body {
  error: { code: string };
  message: string;
  token: string;
  refresh_token: string;
  email: string | null;
  agents_enabled: boolean;
  id: string;
  key: string;
  platform_keys: { id: string; prefix: string }[];
}

const email = 'Ada@example.test';
const password = 'correct horse battery';

const another = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('accounts', () => {
  let roost: TestRoost;
  const call = (method: string, path: string, body?: unknown, authorization = '') =>
    roost.api<Body>(method, path, body, { authorization });
  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
  });
  afterAll(async () => roost.stop());

  it('registers, verifies, signs in, refreshes and returns who is signed in', async () => {
    expect((await call('POST', '/auth/create_user', { email, password })).status).toBe(201);
    expect((await call('POST', '/auth/login', { email, password })).status).toBe(401);
    const code = await codeInLog(roost, email.toLowerCase());
    expect((await call('POST', '/auth/verify_user', { email, code: another(code) })).status).toBe(400);
    expect((await call('POST', '/auth/verify_user', { email, code })).status).toBe(200);
    const session = await call('POST', '/auth/login', { email, password });
    expect(session.status).toBe(200);
    const bearer = `Bearer ${session.body.token}`;
    const user = await call('GET', '/auth/fetch_user', undefined, bearer);
    expect(user.body).toMatchObject({ email: email.toLowerCase(), agents_enabled: false });
    const agents = await call('GET', '/v1/agent/list', undefined, bearer);
    expect([agents.status, agents.body.error.code]).toEqual([403, 'FEATURE_DISABLED']);
    const refreshed = await call('POST', '/auth/refresh', { refresh_token: session.body.refresh_token });
    expect(refreshed.status).toBe(200);
    // A refresh token opens nothing by itself, nor does a changed token.
    for (const bad of [session.body.refresh_token, `${session.body.token.slice(0, -4)}AAAA`])
      expect((await call('GET', '/auth/fetch_user', undefined, `Bearer ${bad}`)).status).toBe(401);
  });

  it('answers alike whether or not an email is known', async () => {
    const known = await call('POST', '/auth/create_user', { email, password: 'another password' });
    const unknown = await call('POST', '/auth/create_user', { email: 'new@example.test', password });
    expect(known.body).toEqual(unknown.body);
    const wrong = await call('POST', '/auth/login', { email, password: 'wrong password' });
    const nobody = await call('POST', '/auth/login', { email: 'nobody@example.test', password });
    expect(wrong.body.error).toEqual(nobody.body.error);
  });

  it('stops guessing', async () => {
    const tries = [];
    for (let n = 0; n < 12; n++)
      tries.push(
        (await call('POST', '/auth/login', { email: 'guess@example.test', password: `wrong ${n} ok` })).status,
      );
    expect(tries.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(tries.at(-1)).toBe(429);
  });

  it('makes keys that work until they are revoked, and not a moment longer', async () => {
    const local = `Bearer ${roost.apiKey}`;
    const made = await call('POST', '/auth/platform_keys', { name: 'ci' }, local);
    expect(made.status).toBe(201);
    const bearer = `Bearer ${made.body.key}`;
    expect((await call('GET', '/auth/fetch_user', undefined, bearer)).status).toBe(200);
    const list = await call('GET', '/auth/platform_keys', undefined, local);
    expect(list.body.platform_keys.map(({ id }) => id)).toContain(made.body.id);
    expect(JSON.stringify(list.body)).not.toContain(made.body.key);
    expect((await call('DELETE', `/auth/platform_keys/${made.body.id}`, undefined, local)).status).toBe(200);
    expect((await call('GET', '/auth/fetch_user', undefined, bearer)).status).toBe(401);
    expect((await call('DELETE', `/auth/platform_keys/${made.body.id}`, undefined, local)).status).toBe(404);
  });
});
