import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyringOf, Sealer } from '#lib/auth';
import { startRoost, type TestRoost, until } from '#lib/testing';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../../../test/second-gateway.js';
import { previousToken, sql, verifiedUser } from '../../../test/tenants.js';

interface Body {
  token: string;
  refresh_token: string;
  email: string | null;
  keys: { kid: string; kty: string; alg: string; d?: string }[];
}

const user = { email: 'ada@example.test', password: 'correct horse battery' };
let roost: TestRoost;
let tokens: Body;
let userId: string;

beforeAll(async () => {
  roost = await startRoost({ services: ['gateway'] });
  await verifiedUser(roost, user);
  tokens = (await roost.api<Body>('POST', '/auth/login', user)).body;
  userId = decodeJwt(tokens.token).sub ?? '';
});
afterAll(async () => roost?.stop());

const whoIs = async (token: string, api = roost.api) =>
  (await api<Body>('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` })).status;
const published = async () => (await roost.api<Body>('GET', '/.well-known/jwks.json')).body.keys;

describe('tokens', () => {
  it('are signed with ES256, and anybody can verify them by the published keys', async () => {
    expect(decodeProtectedHeader(tokens.token).alg).toBe('ES256');
    const keys = createRemoteJWKSet(new URL(`${roost.url}/.well-known/jwks.json`));
    const options = { issuer: 'roost', audience: 'roost', algorithms: ['ES256'] };
    const { payload } = await jwtVerify(tokens.token, keys, options);
    expect(payload).toMatchObject({ sub: userId, use: 'access' });
    for (const key of await published()) expect(key).not.toHaveProperty('d');
  });

  it('of the version before, which signed with EdDSA, work until they end, refresh tokens too', async () => {
    expect(await whoIs(await previousToken(roost, userId, 'access'))).toBe(200);
    expect(await whoIs(await previousToken(roost, userId, 'access', 7_200))).toBe(401);
    const refreshed = await roost.api<Body>('POST', '/auth/refresh', {
      refresh_token: await previousToken(roost, userId, 'refresh'),
    });
    expect(refreshed.status).toBe(200);
    expect(await whoIs(refreshed.body.token)).toBe(200);
  });

  it('of a key that another replica made are taken within a second, and its own go on', async () => {
    const before = (await published()).length;
    await sql(roost, `UPDATE gateway.token_keys SET created_at = now() - interval '29 days 1 hour'`);
    const other = await secondGateway(roost);
    try {
      const kids = await sql<{ kid: string; may_sign: boolean }>(
        roost,
        `SELECT kid, signs_from <= now() AS may_sign FROM gateway.token_keys ORDER BY created_at`,
      );
      // The next key is published before it signs.
      expect(kids.map(({ may_sign }) => may_sign)).toEqual([true, false]);
      await sql(roost, `UPDATE gateway.token_keys SET signs_from = now() WHERE kid = $1`, [kids[1]?.kid]);
      const third = await secondGateway(roost);
      const { body } = await third.api<Body>('POST', '/auth/login', user, { authorization: '' });
      await third.stop();
      expect(decodeProtectedHeader(body.token).kid).toBe(kids[1]?.kid);
      for (const api of [roost.api, other.api])
        for (const token of [body.token, tokens.token])
          // A gateway looks for keys that it does not know at most once a second.
          await until('the token is taken', async () => (await whoIs(token, api)) === 200);
      expect((await published()).length).toBe(before + 1);
    } finally {
      await other.stop();
    }
  });

  it('are signed with EdDSA for a day after an upgrade, which gateways of the version before take', async () => {
    await previousToken(roost, userId, 'access');
    await sql(roost, `DELETE FROM gateway.token_keys`);
    const upgraded = await secondGateway(roost);
    const { body } = await upgraded.api<Body>('POST', '/auth/login', user, { authorization: '' });
    expect(decodeProtectedHeader(body.token).alg).toBe('EdDSA');
    expect(await whoIs(body.token, upgraded.api)).toBe(200);
    await upgraded.stop();
    const [key] = await sql<{ hours: number }>(
      roost,
      `SELECT extract(epoch FROM signs_from - created_at)::float / 3600 AS hours FROM gateway.token_keys`,
    );
    expect(key?.hours).toBeCloseTo(24, 1);
    await sql(roost, `UPDATE gateway.token_keys SET signs_from = now()`);
    const later = await secondGateway(roost);
    const { body: then } = await later.api<Body>('POST', '/auth/login', user, { authorization: '' });
    expect(decodeProtectedHeader(then.token).alg).toBe('ES256');
    expect(await whoIs(body.token, later.api)).toBe(200);
    await later.stop();
    tokens = (await roost.api<Body>('POST', '/auth/login', user)).body;
  });

  it('that are not ours let nobody in', async () => {
    const [row] = await sql<{ kid: string; sealed: string; public_key: object }>(
      roost,
      `SELECT kid, sealed_private_key AS sealed, public_key FROM gateway.token_keys`,
    );
    const { kid = '', sealed = '' } = row ?? {};
    const sealer = new Sealer(keyringOf(readFileSync(join(roost.dataDir, 'master-key'), 'utf8').trim()));
    const ours = JSON.parse(sealer.open(sealed, `token_keys:${kid}`)) as object;
    const { importJWK } = await import('jose');
    const key = await importJWK(ours, 'ES256');
    const foreign = await generateKeyPair('ES256', { extractable: true });
    const good = { ...decodeJwt(tokens.token) };
    const sign = (claims: object, header: object = {}, by: Parameters<SignJWT['sign']>[0] = key) =>
      new SignJWT(claims as never).setProtectedHeader({ alg: 'ES256', kid, ...header }).sign(by);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [header = '', payload = '', signature = ''] = tokens.token.split('.');
    const hs256 = `${part({ alg: 'HS256', kid })}.${payload}`;
    // The key is of another gateway: this one looks for keys that it does not know at most once a second.
    await until('the gateway knows the key', async () => (await whoIs(await sign(good))) === 200);
    const hostile: Record<string, string> = {
      'alg none': `${part({ alg: 'none', kid })}.${payload}.`,
      'alg none, with a signature': `${part({ alg: 'none', kid })}.${payload}.${signature}`,
      'HS256 with the public key': `${hs256}.${createHmac('sha256', JSON.stringify(row?.public_key)).update(hs256).digest('base64url')}`,
      'another key under our kid': await sign(good, {}, foreign.privateKey),
      'a key that it brings': await sign(good, { jwk: await exportJWK(foreign.publicKey) }, foreign.privateKey),
      'an unknown kid': await sign(good, { kid: "' OR 1=1 --" }),
      'a kid that is a path': await sign(good, { kid: '../../../../dev/null' }),
      'no kid': await new SignJWT(good).setProtectedHeader({ alg: 'ES256' }).sign(key),
      crit: `${part({ alg: 'ES256', kid, crit: ['x'], x: 1 })}.${payload}.${signature}`,
      'another issuer': await sign({ ...good, iss: 'roost2' }),
      'another audience': await sign({ ...good, aud: 'other' }),
      'no audience': await sign({ ...good, aud: undefined }),
      expired: await sign({ ...good, exp: 1_700_000_000 }),
      'no end': await sign({ ...good, exp: undefined }),
      'not yet': await sign({ ...good, nbf: Date.now() / 1_000 + 600 }),
      'another use': tokens.refresh_token,
      'another user’s sign-in': await sign({ ...good, sub: '01890000-0000-7000-8000-000000000001' }),
      'changed claims': `${header}.${part({ ...good, sub: '01890000-0000-7000-8000-000000000001' })}.${signature}`,
      huge: await sign({ ...good, pad: 'x'.repeat(9_000) }),
      garbage: 'a.b.c',
      half: `${header}.${payload}`,
    };
    for (const [name, token] of Object.entries(hostile)) expect(await whoIs(token), name).toBe(401);
  });
});
