import { startRoost, type TestRoost } from '#lib/testing';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql, verifiedUser } from '../../../test/tenants.js';

interface Body {
  id: string;
  key: string;
  code: string;
  path: string;
  email: string | null;
  account_id: string;
  error: { code: string; message: string };
}
interface Answer {
  status: number;
  body: Body;
  setCookie: string | undefined;
}

const USER = { email: 'browser@example.test', password: 'correct horse battery' };
const OWN_PAGE = { 'sec-fetch-site': 'same-origin', 'x-roost-csrf': '1' };
let roost: TestRoost;
beforeAll(async () => {
  roost = await startRoost({
    services: ['gateway', 'agent-lifecycle', 'messaging'],
    env: { ROOST_TRUSTED_PROXIES: '127.0.0.1' },
  });
});
afterAll(async () => roost?.stop());

/** As a browser sends it: with a cookie and the headers that scripts cannot set, which `fetch` of Node would not let us set. */
function browse(
  method: string,
  path: string,
  { cookie, body, headers = OWN_PAGE }: { cookie?: string; body?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${roost.url}${path}`, {
      method,
      headers: {
        ...headers,
        ...(cookie === undefined ? {} : { cookie }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
    });
    sent.once('error', reject).once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: (text.startsWith('{') ? JSON.parse(text) : {}) as Body,
          setCookie: response.headers['set-cookie']?.[0],
        }),
      );
    });
    sent.end(body && JSON.stringify(body));
  });
}

const cookieIn = ({ setCookie = '' }: Answer) => setCookie.split(';')[0] ?? '';
const signIn = async (proof: object, cookie?: string) => {
  const answer = await browse('POST', '/auth/session', { body: proof, ...(cookie === undefined ? {} : { cookie }) });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return cookieIn(answer);
};
const byKey = () => signIn({ api_key: roost.apiKey });
const newKey = async () => (await roost.api<Body>('POST', '/auth/platform_keys', { name: 'k' })).body;
const newLink = async () => (await roost.api<Body>('POST', '/auth/sign_in_links', {})).body;
const whoIs = (cookie: string) => browse('GET', '/auth/fetch_user', { cookie });
const idOf = (cookie: string) => /roost_bs_([0-9a-f-]+)/.exec(cookie)?.[1];

describe('signing a browser in', () => {
  it('gives a cookie that no script reads, no other site sends, and that tells ports apart', async () => {
    const answer = await browse('POST', '/auth/session', { body: { api_key: roost.apiKey } });
    const port = new URL(roost.url).port;
    expect(answer.setCookie).toMatch(new RegExp(`^roost_session_${port}=roost_bs_`));
    expect(answer.setCookie).toContain('; HttpOnly');
    expect(answer.setCookie).toContain('; SameSite=Strict');
    expect(answer.setCookie).toContain('; Path=/');
    expect(answer.setCookie).not.toContain('Domain');
    const tls = await browse('POST', '/auth/session', {
      body: { api_key: roost.apiKey },
      headers: { ...OWN_PAGE, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'roost.example' },
    });
    expect(tls.setCookie).toMatch(/^__Host-roost_session=.*; Secure/);
  });

  it('works by API key and by password, for what a key and a user may do', async () => {
    await verifiedUser(roost, USER);
    const [key, user] = [await byKey(), await signIn(USER)];
    expect((await whoIs(key)).body.email).toBeNull();
    expect((await whoIs(user)).body.email).toBe(USER.email);
    expect((await browse('GET', '/v1/agent/list', { cookie: key })).status).toBe(200);
    expect((await browse('POST', '/auth/session', { body: { ...USER, password: 'wrong horse' } })).status).toBe(401);
    expect((await browse('POST', '/auth/session', { body: { api_key: 'roost_sk_x' } })).status).toBe(401);
  });

  it('makes a session of its own, whatever cookie came, and ends the one of that cookie', async () => {
    const mine = await byKey();
    const fixed = `${mine.split('=')[0]}=roost_bs_01890000-0000-7000-8000-00000000dead.${'A'.repeat(43)}`;
    const fresh = await signIn({ api_key: roost.apiKey }, fixed);
    expect(fresh).not.toBe(fixed);
    expect((await whoIs(fixed)).status).toBe(401);
    const next = await signIn({ api_key: roost.apiKey }, mine);
    expect(idOf(next)).not.toBe(idOf(mine));
    expect([(await whoIs(mine)).status, (await whoIs(next)).status]).toEqual([401, 200]);
  });

  it('names the ways in', async () => {
    const { status, body } = await browse('GET', '/auth/sign_in_methods');
    expect([status, body]).toEqual([200, { providers: [], is_registration_open: true }]);
  });
});

describe('one-time links', () => {
  it('sign in once', async () => {
    const { code, path } = await newLink();
    expect(path).toBe(`/sign-in#link=${code}`);
    const answers = await Promise.all([1, 2, 3].map(() => browse('POST', '/auth/session', { body: { link: code } })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401, 401]);
    const used = await browse('POST', '/auth/session', { body: { link: code } });
    expect(used.body.error.message).toContain('used already');
  });

  it('work on this machine alone, and are not used up from elsewhere', async () => {
    const { code } = await newLink();
    for (const elsewhere of [
      { 'x-forwarded-for': '203.0.113.9' },
      { host: 'roost.example:3000' },
      { 'x-forwarded-host': 'roost.example' },
    ]) {
      const answer = await browse('POST', '/auth/session', {
        body: { link: code },
        headers: { ...OWN_PAGE, ...elsewhere },
      });
      expect([answer.status, answer.setCookie], JSON.stringify(elsewhere)).toEqual([403, undefined]);
    }
    await signIn({ link: code });
  });

  it('end with their time and with their key, and are made by keys alone', async () => {
    const { code } = await newLink();
    await sql(roost, `UPDATE gateway.sign_in_links SET expires_at = now() - interval '1 s'`);
    expect((await browse('POST', '/auth/session', { body: { link: code } })).status).toBe(401);
    const { id, key } = await newKey();
    const ofKey = await roost.api<Body>('POST', '/auth/sign_in_links', {}, { authorization: `Bearer ${key}` });
    await roost.api('DELETE', `/auth/platform_keys/${id}`);
    expect((await browse('POST', '/auth/session', { body: { link: ofKey.body.code } })).status).toBe(401);
    expect((await browse('POST', '/auth/sign_in_links', { cookie: await byKey(), body: {} })).status).toBe(403);
    expect((await roost.api('POST', '/auth/sign_in_links', {}, { authorization: '' })).status).toBe(401);
  });
});

describe('a page of another origin', () => {
  const cases: [name: string, headers: Record<string, string>][] = [
    ['of another site', { 'sec-fetch-site': 'cross-site', 'x-roost-csrf': '1' }],
    ['of another port of this machine', { 'sec-fetch-site': 'same-site', 'x-roost-csrf': '1' }],
    ['by a form, which sends no header', { 'sec-fetch-site': 'same-origin' }],
    ['of another host, in a browser without Sec-Fetch-Site', { origin: 'http://evil.example', 'x-roost-csrf': '1' }],
    ['that hides its origin', { origin: 'null', 'x-roost-csrf': '1' }],
    ['without any origin', { 'x-roost-csrf': '1' }],
  ];

  it.each(cases)('%s changes nothing by the cookie', async (_name, headers) => {
    const cookie = await byKey();
    const answer = await browse('POST', '/v1/agent/create', { cookie, headers, body: { name: 'forged' } });
    expect([answer.status, answer.body.error.code]).toEqual([403, 'ACCESS_DENIED']);
    expect((await browse('DELETE', '/auth/session', { cookie, headers })).status).toBe(403);
    expect((await browse('POST', '/auth/session', { headers, body: { api_key: roost.apiKey } })).setCookie).toBe(
      undefined,
    );
    expect((await whoIs(cookie)).status).toBe(200);
  });

  it('reads nothing by the cookie', async () => {
    const cookie = await byKey();
    for (const site of ['cross-site', 'same-site'])
      expect((await browse('GET', '/auth/fetch_user', { cookie, headers: { 'sec-fetch-site': site } })).status).toBe(
        401,
      );
    expect((await browse('GET', '/auth/fetch_user', { cookie, headers: { 'sec-fetch-site': 'none' } })).status).toBe(
      200,
    );
  });

  it('needs nothing of that where a key is sent', async () => {
    const headers = { authorization: `Bearer ${roost.apiKey}`, 'sec-fetch-site': 'cross-site' };
    const answer = await browse('POST', '/v1/agent/create', { headers, body: { name: 'by-key' } });
    expect(answer.status).toBe(201);
  });

  it('is believed to be ours by its origin where the browser says no more', async () => {
    const headers = { origin: roost.url, 'x-roost-csrf': '1' };
    const answer = await browse('POST', '/v1/agent/create', { cookie: await byKey(), headers, body: { name: 'ours' } });
    expect(answer.status).toBe(201);
  });
});

describe('a session', () => {
  it('ends permanently when the browser signs out, and no cookie is a bearer token', async () => {
    const cookie = await byKey();
    const token = cookie.split('=')[1] ?? '';
    const asToken = await roost.api('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` });
    expect(asToken.status).toBe(401);
    const out = await browse('DELETE', '/auth/session', { cookie });
    expect(out.setCookie).toMatch(/=; .*Max-Age=0/);
    expect((await whoIs(cookie)).status).toBe(401);
    expect((await browse('DELETE', '/auth/session', { cookie })).status).toBe(200);
  });

  it('ends with its key, with its sign-in and with its time', async () => {
    const { id, key } = await newKey();
    const [ofKey, ofUser, old] = [await signIn({ api_key: key }), await signIn(USER), await byKey()];
    await roost.api('DELETE', `/auth/platform_keys/${id}`);
    expect((await whoIs(ofKey)).status).toBe(401);
    expect((await browse('POST', '/auth/logout_everywhere', { cookie: ofUser, body: {} })).status).toBe(200);
    expect((await whoIs(ofUser)).status).toBe(401);
    await sql(roost, `UPDATE gateway.browser_sessions SET expires_at = now() WHERE id = $1`, [idOf(old)]);
    expect((await whoIs(old)).status).toBe(401);
  });

  it('changes its secret each hour; the one before counts until the new one was shown', async () => {
    const first = await byKey();
    const age = (of: string, by: string) =>
      sql(roost, `UPDATE gateway.browser_sessions SET rotated_at = now() - $2::interval WHERE id = $1`, [idOf(of), by]);
    expect((await whoIs(first)).setCookie).toBeUndefined();
    await age(first, '2 hours');
    const offers = await Promise.all([1, 2, 3].map(() => whoIs(first)));
    const second = offers.map(cookieIn).find(Boolean) ?? '';
    expect(offers.filter(({ setCookie }) => setCookie !== undefined)).toHaveLength(1);
    expect(second).not.toBe(first);
    // The answer with it may have been lost.
    expect((await whoIs(first)).status).toBe(200);
    expect((await whoIs(second)).status).toBe(200);
    // Requests that were under way; after a minute it is a stolen one.
    expect((await whoIs(first)).status).toBe(200);
    await age(second, '2 minutes');
    expect((await whoIs(first)).status).toBe(401);
    expect((await whoIs(second)).status).toBe(401);
  });

  it('whose secret is guessed goes on', async () => {
    const cookie = await byKey();
    const guessed = `${cookie.slice(0, -43)}${'A'.repeat(43)}`;
    expect((await whoIs(guessed)).status).toBe(401);
    expect((await whoIs(cookie)).status).toBe(200);
  });

  it('takes the streams that are open by it along when it ends', async () => {
    const agent = await roost.api<Body>('POST', '/v1/agent/create', { name: 'followed' });
    for (const [end, reason] of [
      [(cookie: string) => browse('DELETE', '/auth/session', { cookie }), 'signed out'],
      [
        (cookie: string) =>
          sql(roost, `UPDATE gateway.browser_sessions SET revoked_at = now() WHERE id = $1`, [idOf(cookie)]),
        'revoked',
      ],
    ] as const) {
      const cookie = await byKey();
      const stream = await fetch(`${roost.url}/v1/agent/${agent.body.id}/events`, { headers: { cookie, ...OWN_PAGE } });
      expect(stream.status).toBe(200);
      const rest = stream.text();
      await end(cookie);
      expect(await rest, reason).toMatch(/event: stream\.ended\ndata: .*"reason":"credential_revoked"/);
    }
  });

  it('is one of at most a hundred of its account: the one unused for longest ends', async () => {
    const oldest = await byKey();
    await sql(roost, `UPDATE gateway.browser_sessions SET rotated_at = now() - interval '1 day' WHERE id = $1`, [
      idOf(oldest),
    ]);
    await sql(
      roost,
      `INSERT INTO gateway.browser_sessions (id, account_id, key_hash, secret_hash, expires_at)
       SELECT gen_random_uuid(), account_id, key_hash, 'none', expires_at FROM gateway.browser_sessions, generate_series(1, 99)
        WHERE id = $1`,
      [idOf(oldest)],
    );
    await byKey();
    expect((await whoIs(oldest)).status).toBe(401);
  });
});
