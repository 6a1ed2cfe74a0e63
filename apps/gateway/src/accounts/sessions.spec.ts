import { createHash } from 'node:crypto';
import type { TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mailbox } from '../../test/mailbox.js';
import { type Caller, MailingGateway } from '../../test/mailing-gateway.js';
import { previousToken, sql } from '../../test/tenants.js';

interface Body {
  token: string;
  refresh_token: string;
  message: string;
  error: { code: string };
}

const PASSWORD = 'correct horse battery';
let roost: TestRoost;
let box: Mailbox;
let gateway: MailingGateway;
beforeAll(async () => {
  gateway = await MailingGateway.start();
  ({ roost, box } = gateway);
});
afterAll(() => gateway?.stop());

const newAddress = () => gateway.newAddress();
const post = (path: string, body: object, caller?: Caller) => gateway.post<Body>(path, body, caller);

/** A person with a verified email, at an address of their own. */
async function person(name: string) {
  const email = `${name}@example.test`;
  const from = newAddress();
  await post('create_user', { email, password: PASSWORD }, { from });
  expect((await post('verify_user', { email, code: await box.code(email) }, { from })).status).toBe(200);
  const login = async (password = PASSWORD, at = from) => post('login', { email, password }, { from: at });
  return {
    email,
    from,
    login,
    signIn: async (password = PASSWORD) => (await login(password)).body,
    refresh: (refresh_token: string, headers = {}) => post('refresh', { refresh_token }, { from, headers }),
  };
}
const whoIs = async (token: string) =>
  (await roost.api('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` })).status;

describe('refresh tokens', () => {
  it('are replaced at each use; one that is shown again ends its sign-in, and no other', async () => {
    const ada = await person('rotating');
    const [first, other] = [await ada.signIn(), await ada.signIn()];
    const second = (await ada.refresh(first.refresh_token)).body;
    const third = (await ada.refresh(second.refresh_token)).body;
    expect(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size).toBe(3);
    expect((await ada.refresh(first.refresh_token)).status).toBe(401);
    expect((await ada.refresh(third.refresh_token)).status).toBe(401);
    expect([await whoIs(third.token), await whoIs(first.token)]).toEqual([401, 401]);
    expect(await whoIs(other.token)).toBe(200);
    expect((await ada.refresh(other.refresh_token)).status).toBe(200);
  });

  it('give one next token of many uses at once', async () => {
    const ada = await person('racing');
    const { refresh_token } = await ada.signIn();
    const answers = await Promise.all(Array.from({ length: 5 }, () => ada.refresh(refresh_token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401]);
  });

  it('answer again to who repeats a refresh with its Idempotency-Key, and to nobody else', async () => {
    const ada = await person('repeating');
    const { refresh_token } = await ada.signIn();
    const key = { 'idempotency-key': 'lost-answer' };
    const lost = await ada.refresh(refresh_token, key);
    const again = await ada.refresh(refresh_token, key);
    expect([lost.status, again.status]).toEqual([200, 200]);
    const next = await ada.refresh(again.body.refresh_token);
    expect(next.status).toBe(200);
    expect((await ada.refresh(refresh_token, { 'idempotency-key': 'another' })).status).toBe(401);
    expect((await ada.refresh(next.body.refresh_token)).status).toBe(401);
  });

  it('of the version before are taken once, and then rotate', async () => {
    const ada = await person('upgrading');
    const { refresh_token } = await ada.signIn();
    // As that version made them: the same signature, no word of a sign-in.
    const [user] = await sql<{ id: string }>(roost, `SELECT id FROM gateway.users WHERE email = $1`, [ada.email]);
    const old = await previousToken(roost, user?.id ?? '', 'refresh');
    const next = await ada.refresh(old);
    expect(next.status).toBe(200);
    expect((await ada.refresh(old)).status).toBe(401);
    expect((await ada.refresh(next.body.refresh_token)).status).toBe(401);
    expect((await ada.refresh(refresh_token)).status).toBe(200);
    const access = await previousToken(roost, user?.id ?? '', 'access');
    expect(await whoIs(access)).toBe(200);
    await post('logout_everywhere', {}, { token: access });
    expect(await whoIs(access)).toBe(401);
  });
});

describe('signing out', () => {
  it('ends one sign-in with its tokens at once, or all of them', async () => {
    const ada = await person('leaving');
    const [one, two, three] = [await ada.signIn(), await ada.signIn(), await ada.signIn()];
    expect((await post('logout', {}, { token: one.token })).status).toBe(200);
    expect([await whoIs(one.token), await whoIs(two.token)]).toEqual([401, 200]);
    expect((await ada.refresh(one.refresh_token)).status).toBe(401);
    expect((await post('logout', {}, { token: one.token })).status).toBe(401);
    expect((await post('logout_everywhere', {}, { token: two.token })).status).toBe(200);
    expect([await whoIs(two.token), await whoIs(three.token)]).toEqual([401, 401]);
    expect((await ada.refresh(three.refresh_token)).status).toBe(401);
    expect((await ada.login()).status).toBe(200);
  });

  it.each(['logout', 'logout_everywhere', 'change_password'])('is not for API keys: %s', async (path) => {
    const { status } = await post(path, path === 'change_password' ? { new_password: PASSWORD } : {}, {
      token: roost.apiKey,
    });
    expect(status).toBe(403);
  });
});

describe('a forgotten password', () => {
  it('is replaced with the mailed code, once, which ends every sign-in', async () => {
    const ada = await person('forgetful');
    const signedIn = await ada.signIn();
    await post('forgot_password', { email: ada.email.toUpperCase() }, { from: ada.from });
    const code = await box.resetCode(ada.email);
    const rows = JSON.stringify(await sql(roost, `SELECT * FROM gateway.password_resets`));
    expect(rows).not.toContain(code);
    const reset = (new_password: string, given = code) => post('reset_password', { code: given, new_password });
    expect((await reset('short')).status).toBe(400);
    expect((await reset('a new password', `${code.slice(0, -1)}_`)).status).toBe(400);
    expect((await reset('a new password')).status).toBe(200);
    expect((await reset('yet another one')).status).toBe(400);
    expect((await ada.refresh(signedIn.refresh_token)).status).toBe(401);
    expect(await whoIs(signedIn.token)).toBe(401);
    expect((await ada.login()).status).toBe(401);
    expect((await ada.login('a new password')).status).toBe(200);
  });

  it('is asked for in the same words whether or not the email is known, and a stranger gets nothing', async () => {
    const ada = await person('known');
    const [known, unknown] = [
      await post('forgot_password', { email: ada.email }, { from: newAddress() }),
      await post('forgot_password', { email: 'nobody-at-all@example.test' }, { from: newAddress() }),
    ];
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    await box.resetCode(ada.email);
    expect(box.to('nobody-at-all@example.test')).toEqual([]);
  });

  it('has codes that end: after half an hour, and with the first one used', async () => {
    const ada = await person('slow');
    await post('forgot_password', { email: ada.email }, { from: ada.from });
    const first = await box.resetCode(ada.email, 0);
    await post('forgot_password', { email: ada.email }, { from: ada.from });
    const second = await box.resetCode(ada.email, 1);
    await sql(roost, `UPDATE gateway.password_resets SET expires_at = now() WHERE token_hash = $1`, [
      createHash('sha256').update(first).digest('base64url'),
    ]);
    expect((await post('reset_password', { code: first, new_password: 'a new password' })).status).toBe(400);
    await post('forgot_password', { email: ada.email }, { from: ada.from });
    const third = await box.resetCode(ada.email, 2);
    expect((await post('reset_password', { code: second, new_password: 'a new password' })).status).toBe(200);
    expect((await post('reset_password', { code: third, new_password: 'not this one' })).status).toBe(400);
  });
});

describe('changing the password', () => {
  it('needs the present one, keeps this sign-in and ends the others', async () => {
    const ada = await person('changing');
    const [here, elsewhere] = [await ada.signIn(), await ada.signIn()];
    const change = (body: object) => post('change_password', body, { token: here.token, from: ada.from });
    const next = 'a better password';
    expect((await change({ new_password: next })).status).toBe(403);
    expect((await change({ current_password: 'not that one', new_password: next })).status).toBe(403);
    expect((await change({ current_password: PASSWORD, new_password: next })).status).toBe(200);
    expect([await whoIs(here.token), await whoIs(elsewhere.token)]).toEqual([200, 401]);
    expect((await ada.refresh(here.refresh_token)).status).toBe(200);
    expect((await ada.refresh(elsewhere.refresh_token)).status).toBe(401);
    expect([(await ada.login()).status, (await ada.login(next)).status]).toEqual([401, 200]);
  });
});

describe('guessing', () => {
  it('by a stranger locks nobody out, and the stranger soon', async () => {
    const ada = await person('guessed');
    const stranger = newAddress();
    const tries = [];
    for (let n = 0; n < 12; n++) tries.push((await ada.login(`wrong ${n} ok`, stranger)).status);
    expect(tries).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    expect((await ada.login(PASSWORD, newAddress())).status).toBe(200);
    expect((await ada.login()).status).toBe(200);
  });

  it('from many addresses is bounded, and the owner still gets in from where they signed in before', async () => {
    const ada = await person('besieged');
    await ada.signIn();
    // As after two hundred tries from as many addresses.
    expect((await ada.login('wrong one', '2001:db8:9::1')).status).toBe(401);
    await sql(
      roost,
      `UPDATE gateway.login_tries SET count = 1000 WHERE who = translate(encode(sha256($1::text::bytea), 'base64'), '+/=', '-_')`,
      [`password of ${ada.email}`],
    );
    expect((await ada.login('wrong one', '2001:db8:a::1')).status).toBe(429);
    expect((await ada.login()).status).toBe(200);
  });

  it('counts an IPv6 network of a customer as one address', async () => {
    const ada = await person('sixes');
    const statuses = [];
    for (let n = 0; n < 11; n++) statuses.push((await ada.login('wrong one', `2001:db8:7:7::${n + 1}`)).status);
    expect(statuses.at(-1)).toBe(429);
  });
});
