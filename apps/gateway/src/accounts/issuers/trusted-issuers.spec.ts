import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRoost, type TestRoost } from '#lib/testing';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql, verifiedUser } from '../../../test/tenants.js';
import { browse } from '../../../test/browse.js';
import { AUDIENCE, issuerDouble } from '../../../test/issuer-double.js';

interface Body {
  email: string | null;
  account_id: string;
  agents_enabled: boolean;
  token: string;
  error: { code: string; message: string };
}

const REDIRECT = 'https://app.example.org/signed-in';
const PATHS = ['/company', '/other', '/closed', '/big', '/slow', '/garbage', '/away', '/weak', '/two', '/quiet'];
const ada = { sub: 'ada', email: 'ada@example.test', email_verified: true };

let roost: TestRoost;
let issuer: Awaited<ReturnType<typeof issuerDouble>>;
let server: Server;
let providerUrl: string;

beforeAll(async () => {
  issuer = await issuerDouble();
  for (const path of PATHS) issuer.publish(path, { keys: [issuer.publicKey] });
  server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  providerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { client_id: 'company-app', client_secret: 'a secret of the client', redirect_uris: [REDIRECT] };
  const provider = new Provider(providerUrl, {
    clients: [{ ...client, response_types: ['code'] }],
    pkce: { required: () => false },
    claims: { email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.test`, email_verified: true }),
    }),
    cookies: { keys: ['k'] },
  });
  server.on('request', provider.callback());
  const trusted = PATHS.map((path) => ({
    issuer: `${issuer.origin}${path}`,
    audience: AUDIENCE,
    jwks_url: `${issuer.origin}${path}`,
    email_domains: ['example.test', 'example.org'],
    creates_accounts: path !== '/closed',
    agents_enabled: path === '/quiet',
  }));
  trusted.push({ ...trusted[0]!, issuer: providerUrl, audience: 'company-app', jwks_url: `${providerUrl}/jwks` });
  roost = await startRoost({
    services: ['gateway'],
    env: { ROOST_ISSUER_NETWORK: 'local', ROOST_TRUSTED_ISSUERS: JSON.stringify(trusted) },
  });
});
afterAll(async () => {
  await roost?.stop();
  await issuer?.stop();
  server?.closeAllConnections();
  server?.close();
});

const whoIs = (token: string) =>
  roost.api<Body>('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` });

describe('a token of a trusted issuer', () => {
  it('of a certified OpenID provider signs its people in', async () => {
    const query = { client_id: 'company-app', response_type: 'code', scope: 'openid email', redirect_uri: REDIRECT };
    const { code = '' } = await browse(`${providerUrl}/auth?${new URLSearchParams(query)}`, 'grace', REDIRECT);
    const response = await fetch(`${providerUrl}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('company-app:a%20secret%20of%20the%20client')}` },
      body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT }),
    });
    const { id_token } = (await response.json()) as { id_token: string };
    const { status, body } = await whoIs(id_token);
    expect([status, body.email]).toEqual([200, 'grace@example.test']);
  });

  it('is its subject’s from the first verified email on, whatever the email is later', async () => {
    const first = await whoIs(await issuer.token('/company', ada));
    expect([first.status, first.body.email]).toEqual([200, ada.email]);
    const later = await whoIs(
      await issuer.token('/company', { sub: 'ada', email: 'x@example.test', email_verified: false }),
    );
    expect(later.body.account_id).toBe(first.body.account_id);
    // Another issuer's subject of the same name is somebody else.
    const other = await whoIs(
      await issuer.token('/other', { sub: 'ada', email: 'eve@example.test', email_verified: true }),
    );
    expect(other.body.account_id).not.toBe(first.body.account_id);
  });

  it('finds the account that its verified email has here', async () => {
    const user = { email: 'linus@example.test', password: 'correct horse battery' };
    await verifiedUser(roost, user);
    const [own] = await sql<{ id: string }>(roost, `SELECT account_id AS id FROM gateway.users WHERE email = $1`, [
      user.email,
    ]);
    const claims = { sub: 'linus', email: user.email, email_verified: true };
    expect((await whoIs(await issuer.token('/closed', claims))).body.account_id).toBe(own?.id);
  });

  it.each<[string, string, object]>([
    ['an email that is not verified', '/company', { email: 'ada@example.test', email_verified: false }],
    ['an email that is verified as a text', '/company', { email: 'ada@example.test', email_verified: 'true' }],
    ['an email of which nothing is stated', '/company', { email: 'ada@example.test' }],
    ['no email', '/company', { email_verified: true }],
    ['an email of another domain', '/company', { email: 'root@evil.test', email_verified: true }],
    ['an email that ends like an allowed domain', '/company', { email: 'a@evilexample.test', email_verified: true }],
    ['an email that is folded to one of ours', '/company', { email: 'ADA@ＥXAMPLE.test', email_verified: true }],
    [
      'an email that nobody has here, where no accounts are made',
      '/closed',
      { email: 'n@example.test', email_verified: true },
    ],
  ])('with %s is nobody’s', async (what, path, claims) => {
    const { status, body } = await whoIs(await issuer.token(path, { sub: `new, ${what}`, ...claims }));
    expect([status, body.error.code]).toEqual([403, 'ACCESS_DENIED']);
  });

  it('ends when its user signs out everywhere, and not for tokens after it', async () => {
    const claims = { sub: 'out', email: 'out@example.test', email_verified: true };
    const now = Math.floor(Date.now() / 1_000);
    const token = await issuer.token('/company', { ...claims, iat: now - 5 });
    expect((await whoIs(token)).status).toBe(200);
    const out = await roost.api('POST', '/auth/logout_everywhere', {}, { authorization: `Bearer ${token}` });
    expect(out.status).toBe(200);
    expect((await whoIs(token)).status).toBe(401);
    const later = Math.floor(Date.now() / 1_000) + 5;
    expect((await whoIs(await issuer.token('/company', { ...claims, iat: later }))).status).toBe(200);
  });
});

describe('a hostile token', () => {
  it('lets nobody in', async () => {
    const foreign = await generateKeyPair('RS256', { extractable: true });
    const foreignKey: JWK = { ...(await exportJWK(foreign.publicKey)), kid: 'one', alg: 'RS256' };
    const now = Math.floor(Date.now() / 1_000);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const good = await issuer.token('/company', ada);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const mac = (key: string) => {
      const text = `${part({ alg: 'HS256', kid: 'one' })}.${payload}`;
      return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    };
    const spki = await exportSPKI((await importJWK(issuer.publicKey, 'RS256')) as never);
    issuer.publish('/foreign-keys', { keys: [foreignKey] });
    const url = `${issuer.origin}/foreign-keys`;
    const of = (claims: object, head: object = {}) => issuer.token('/company', { ...ada, ...claims }, head);
    const forged = (head: object) => issuer.token('/company', ada, head, foreign.privateKey);
    expect((await whoIs(good)).status).toBe(200);
    const hostile: Record<string, string> = {
      'alg none': `${part({ alg: 'none', kid: 'one' })}.${payload}.`,
      'alg none, with a signature': `${part({ alg: 'none', kid: 'one' })}.${payload}.${signature}`,
      'alg None': `${part({ alg: 'None', kid: 'one' })}.${payload}.${signature}`,
      'HS256 with the public key as PEM': mac(spki),
      'HS256 with the public key as JWK': mac(JSON.stringify(issuer.publicKey)),
      'RS512 for a key of RS256': await issuer.token(
        '/company',
        ada,
        { alg: 'RS512' },
        await importJWK(issuer.privateJwk, 'RS512'),
      ),
      'a foreign key under the known kid': await forged({}),
      'jwk in the header': await forged({ jwk: foreignKey }),
      'jku in the header': await forged({ jku: url }),
      'x5u in the header': await forged({ x5u: url }),
      'jku and an unknown kid': await forged({ jku: url, kid: 'two' }),
      'kid: a path': await of({}, { kid: '../../../../etc/passwd' }),
      'kid: SQL': await of({}, { kid: "one' OR '1'='1" }),
      'kid: a prototype': await of({}, { kid: '__proto__' }),
      'kid: not a text': `${part({ alg: 'RS256', kid: { $ne: 1 } })}.${payload}.${signature}`,
      'kid: 100 KB': `${part({ alg: 'RS256', kid: 'k'.repeat(6_000) })}.${payload}.${signature}`,
      crit: `${part({ alg: 'RS256', kid: 'one', crit: ['b64'], b64: false })}.${payload}.${signature}`,
      'another audience': await of({ aud: 'https://another.example.test' }),
      'no audience': await of({ aud: undefined }),
      'an unknown issuer': await of({ iss: 'https://evil.example.test' }),
      'an issuer that only begins alike': await of({ iss: `${issuer.origin}/company/` }),
      'an issuer that is a list': await of({ iss: [`${issuer.origin}/company`] }),
      'our own issuer': await of({ iss: 'roost', aud: 'roost' }),
      expired: await of({ iat: now - 600, exp: now - 300 }),
      'no end': await of({ exp: undefined }),
      'no beginning': await of({ iat: undefined }),
      'older than a day': await of({ iat: now - 90_000 }),
      'from the future': await of({ iat: now + 600, exp: now + 900 }),
      'not yet': await of({ nbf: now + 600 }),
      'an end that is a text': await of({ exp: String(now + 300) }),
      'no subject': await of({ sub: undefined }),
      'a subject that is an object': await of({ sub: { a: 1 } }),
      huge: await of({ pad: 'x'.repeat(9_000) }),
      'changed claims': `${header}.${part({ ...ada, iss: `${issuer.origin}/company`, aud: AUDIENCE, iat: now, exp: now + 300, sub: 'root' })}.${signature}`,
      'another issuer’s signature': await issuer.token(
        '/company',
        ada,
        { alg: 'ES256' },
        (await generateKeyPair('ES256')).privateKey,
      ),
    };
    for (const [name, token] of Object.entries(hostile)) {
      const { status, body } = await whoIs(token);
      expect([status, body.error?.code], name).toEqual([401, 'UNAUTHORIZED']);
    }
    expect(issuer.timesFetched('/foreign-keys')).toBe(0);
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once for many tokens, and not for every unknown kid', async () => {
    const tokens = Array.from({ length: 10 }, (_, n) =>
      issuer.token('/quiet', { ...ada, sub: `q${n}`, email: `q${n}@example.test` }),
    );
    const answers = await Promise.all((await Promise.all(tokens)).map(whoIs));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    // As its settings have it for new accounts; by default they wait for the operator.
    expect(answers.every(({ body }) => body.agents_enabled)).toBe(true);
    expect((await whoIs(await issuer.token('/company', ada))).body.agents_enabled).toBe(false);
    for (let n = 0; n < 20; n++)
      expect((await whoIs(await issuer.token('/quiet', ada, { kid: `unknown-${n}` }))).status).toBe(401);
    expect(issuer.timesFetched('/quiet')).toBe(1);
  });

  it('that are too large, slow, garbage or away let nobody in, and others still do', async () => {
    issuer.publish('/big', (response) => response.end(`{"keys":[${'{"kty":"RSA"},'.repeat(50_000)}{}]}`));
    issuer.publish('/slow', (response) => void response.writeHead(200).write('{"keys":['));
    issuer.publish('/garbage', (response) => response.end('<html>sign in</html>'));
    issuer.publish('/away', (response) => response.writeHead(500).end());
    const begun = performance.now();
    for (const path of ['/big', '/slow', '/garbage', '/away'])
      for (let n = 0; n < 3; n++) {
        const { status, body, headers } = await whoIs(await issuer.token(path, ada));
        expect([path, status, body.error.code]).toEqual([path, 503, 'SERVICE_UNAVAILABLE']);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
    expect(performance.now() - begun).toBeLessThan(20_000);
    for (const path of ['/big', '/slow', '/garbage', '/away']) expect(issuer.timesFetched(path)).toBe(1);
    expect((await whoIs(await issuer.token('/company', ada))).status).toBe(200);
  });

  it('that are weak, secret or of another use are passed over', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const jwk = weak.publicKey.export({ format: 'jwk' }) as JWK;
    const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'secret', alg: 'HS256' };
    const encryption = { ...issuer.publicKey, kid: 'encryption', use: 'enc' };
    issuer.publish('/weak', { keys: [{ ...jwk, kid: 'weak' }, secret, encryption, issuer.publicKey] });
    expect((await whoIs(await issuer.token('/weak', { ...ada, sub: 'w' }))).status).toBe(200);
    for (const kid of ['weak', 'secret', 'encryption'])
      expect((await whoIs(await issuer.token('/weak', ada, { kid }))).status, kid).toBe(401);
  });

  it('need no kid where there is one, and a token without kid is nobody’s where there are two', async () => {
    const without = { kid: undefined };
    expect((await whoIs(await issuer.token('/other', { ...ada, sub: 'r' }, without))).status).toBe(200);
    issuer.publish('/two', { keys: [issuer.publicKey, { ...issuer.publicKey, kid: 'two' }] });
    expect((await whoIs(await issuer.token('/two', ada, without))).status).toBe(401);
    expect((await whoIs(await issuer.token('/two', { ...ada, sub: 's' }, { kid: 'two' }))).status).toBe(200);
  });
});
