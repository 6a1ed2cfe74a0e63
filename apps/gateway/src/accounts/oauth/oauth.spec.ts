import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRoost, type TestRoost } from '#lib/testing';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeInLog, sql, verifiedUser } from '../../../test/tenants.js';
import { browse } from '../../../test/browse.js';
import { githubDouble, type GithubDouble } from '../../../test/github-double.js';

interface Body {
  authorization_url: string;
  state: string;
  token: string;
  email: string | null;
  account_id: string;
  error: { code: string };
}

const REDIRECT = 'https://app.example.org/signed-in';
const open = { authorization: '' };

let roost: TestRoost;
let issuer: Server;
let github: GithubDouble;
/** Who the OpenID provider says has signed in. */
const claims = { email: 'ada@example.test', email_verified: true };

beforeAll(async () => {
  github = await githubDouble();
  issuer = createServer();
  await new Promise<void>((done) => issuer.listen(0, '127.0.0.1', done));
  const issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const provider = new Provider(issuerUrl, {
    clients: [
      {
        client_id: 'roost',
        client_secret: 'a secret of the client',
        redirect_uris: [REDIRECT],
        response_types: ['code'],
      },
    ],
    pkce: { required: () => true },
    claims: { email: ['email', 'email_verified'] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...claims }) }),
    cookies: { keys: ['k'] },
  });
  issuer.on('request', provider.callback());
  roost = await startRoost({
    services: ['gateway'],
    env: {
      ROOST_OAUTH_REDIRECT_URL: REDIRECT,
      GOOGLE_CLIENT_ID: 'roost',
      GOOGLE_CLIENT_SECRET: 'a secret of the client',
      GOOGLE_ISSUER_URL: issuerUrl,
      GITHUB_CLIENT_ID: 'roost',
      GITHUB_CLIENT_SECRET: 'a secret of the client',
      GITHUB_URL: github.url,
      GITHUB_API_URL: github.url,
    },
  });
});
afterAll(async () => {
  await roost?.stop();
  await github?.stop();
  issuer?.closeAllConnections();
  issuer?.close();
});

const begin = async (provider: string) =>
  (await roost.api<Body>('GET', `/auth/oauth/${provider}`, undefined, open)).body;
const finish = (provider: string, body: object) =>
  roost.api<Body>('POST', `/auth/oauth/${provider}/callback`, body, open);
const whoIs = async (token: string) =>
  (await roost.api<Body>('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` })).body;

/** How often the audit has it that they signed in, by themselves. */
const signInsOf = async (email: string) => {
  const found = await sql(
    roost,
    `SELECT 1 FROM gateway.audit a JOIN gateway.users u ON u.id::text = a.actor_id AND u.account_id = a.account_id
     WHERE a.action = 'user.signed_in' AND a.actor_type = 'user' AND u.email = '${email}'`,
  );
  return found.length;
};

describe('signing in with an OpenID provider', () => {
  it('makes an account, finds it again, and takes no state twice', async () => {
    const { authorization_url: url, state } = await begin('google');
    expect(new URL(url).searchParams.get('code_challenge_method')).toBe('S256');
    const { code, iss } = await browse(url, 'subject-1', REDIRECT);
    const signedIn = await finish('google', { code, state, iss });
    expect(signedIn.status, JSON.stringify(signedIn.body)).toBe(200);
    const me = await whoIs(signedIn.body.token);
    expect(me.email).toBe('ada@example.test');
    await expect(signInsOf('ada@example.test')).resolves.toBe(1);
    expect((await finish('google', { code, state, iss })).status).toBe(401);
    await expect(signInsOf('ada@example.test')).resolves.toBe(1);

    const again = await begin('google');
    const back = await browse(again.authorization_url, 'subject-1', REDIRECT);
    const second = await finish('google', { code: back['code'], state: back['state'], iss });
    expect((await whoIs(second.body.token)).account_id).toBe(me.account_id);
    await expect(signInsOf('ada@example.test')).resolves.toBe(2);
  });

  it('refuses a code of another sign-in, a made-up state and a forged code', async () => {
    const [one, other] = [await begin('google'), await begin('google')];
    const { code, iss } = await browse(one.authorization_url, 'subject-1', REDIRECT);
    // PKCE and the nonce bind the code to its own sign-in.
    expect((await finish('google', { code, state: other.state, iss })).status).toBe(401);
    expect((await finish('google', { code, state: 'made-up', iss })).status).toBe(401);
    expect((await finish('google', { code: 'forged', state: one.state, iss })).status).toBe(401);
  });

  it('refuses an email that the provider has not verified', async () => {
    Object.assign(claims, { email: 'eve@example.test', email_verified: false });
    const { authorization_url: url } = await begin('google');
    const { code, iss, state } = await browse(url, 'subject-2', REDIRECT);
    const refused = await finish('google', { code, state, iss });
    expect([refused.status, refused.body.error.code]).toEqual([403, 'ACCESS_DENIED']);
  });

  it('takes an email over from one who registered it but never verified it, without their password', async () => {
    const thief = { email: 'bob@example.test', password: 'chosen by a thief' };
    await roost.api('POST', '/auth/create_user', thief, open);
    Object.assign(claims, { email: thief.email, email_verified: true });
    const { authorization_url: url } = await begin('google');
    const { code, iss, state } = await browse(url, 'subject-3', REDIRECT);
    expect((await finish('google', { code, state, iss })).status).toBe(200);
    expect((await roost.api('POST', '/auth/login', thief, open)).status).toBe(401);
    // Nor does the code that the thief's registration asked for.
    const thiefsCode = await codeInLog(roost, thief.email);
    expect((await roost.api('POST', '/auth/verify_user', { email: thief.email, code: thiefsCode }, open)).status).toBe(
      400,
    );
    expect((await roost.api('POST', '/auth/login', thief, open)).status).toBe(401);
  });

  it('takes no address for another that it becomes in lower case: the Kelvin sign is no k', async () => {
    await verifiedUser(roost, { email: 'kate@example.test', password: 'correct horse battery' });
    Object.assign(claims, { email: '\u212Aate@example.test', email_verified: true });
    const { authorization_url: url } = await begin('google');
    const { code, iss, state } = await browse(url, 'subject-kelvin', REDIRECT);
    expect((await finish('google', { code, state, iss })).status).toBe(403);
  });

  it('keeps nothing of a sign-in in the clear', async () => {
    const { state } = await begin('google');
    const rows = await sql(roost, `SELECT * FROM gateway.oauth_sign_ins`);
    expect(JSON.stringify(rows)).not.toContain(state);
  });
});

describe('signing in with GitHub', () => {
  it('links the account of the same verified email', async () => {
    github.user = { id: 7, emails: [{ email: 'Ada@example.test', primary: true, verified: true }] };
    const { authorization_url: url, state } = await begin('github');
    const code = github.authorize(url);
    const signedIn = await finish('github', { code, state });
    expect(signedIn.status, JSON.stringify(signedIn.body)).toBe(200);
    expect((await whoIs(signedIn.body.token)).email).toBe('ada@example.test');
    await expect(signInsOf('ada@example.test')).resolves.toBe(3);
    expect(
      await sql(
        roost,
        `SELECT provider FROM gateway.user_identities i JOIN gateway.users u ON u.id = i.user_id
      WHERE u.email = 'ada@example.test' ORDER BY provider`,
      ),
    ).toEqual([{ provider: 'github' }, { provider: 'google' }]);
  });

  it('refuses without a verified email, and with a code of another sign-in', async () => {
    github.user = { id: 8, emails: [{ email: 'mallory@example.test', primary: true, verified: false }] };
    const first = await begin('github');
    expect(
      (await finish('github', { code: github.authorize(first.authorization_url), state: first.state })).status,
    ).toBe(403);
    const [one, other] = [await begin('github'), await begin('github')];
    expect((await finish('github', { code: github.authorize(one.authorization_url), state: other.state })).status).toBe(
      401,
    );
  });

  it('says so when a provider is not known', async () => {
    expect((await roost.api('GET', '/auth/oauth/elsewhere', undefined, open)).status).toBe(404);
  });
});
