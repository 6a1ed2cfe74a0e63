import { type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mailbox } from '../../test/mailbox.js';
import { MailingGateway } from '../../test/mailing-gateway.js';
import { sql } from '../../test/tenants.js';

interface Body {
  token: string;
  refresh_token: string;
  error: { code: string; message: string };
}

const THIEF = 'the thief chose this';
const OWNER = 'the owner chose this';

let roost: TestRoost;
let box: Mailbox;
let gateway: MailingGateway;
beforeAll(async () => {
  gateway = await MailingGateway.start();
  ({ roost, box } = gateway);
});
afterAll(() => gateway?.stop());

let callers = 0;
/** From an address of its own, so that the limits per address of one test do not meet another's. */
function caller() {
  callers += 1;
  const headers = { authorization: '', 'x-forwarded-for': `198.51.100.${callers}` };
  const post = async (path: string, body: object) => roost.api<Body>('POST', `/auth/${path}`, body, headers);
  return {
    register: async (email: string, password: string) => post('create_user', { email, password }),
    verify: async (email: string, code: string, password?: string) =>
      (await post('verify_user', { email, code, ...(password === undefined ? {} : { password }) })).status,
    login: async (email: string, password: string) => (await post('login', { email, password })).status,
    resend: (email: string, password?: string) =>
      post('resend_verification', { email, ...(password === undefined ? {} : { password }) }),
  };
}
const another = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('whose password a mailed code lets in', () => {
  it('is the one of the registration that asked for the code, never the one of somebody who registered before', async () => {
    const email = 'first@example.test';
    const [thief, owner] = [caller(), caller()];
    await thief.register(email, THIEF);
    const thiefsCode = await box.code(email, 0);
    await owner.register(email, OWNER);
    const code = await box.code(email, 1);
    if (thiefsCode !== code) expect(await owner.verify(email, thiefsCode)).toBe(400);
    expect(await owner.verify(email, code)).toBe(200);
    expect(await thief.login(email, THIEF)).toBe(401);
    expect(await owner.login(email, OWNER)).toBe(200);
  });

  it('is not the one of somebody who registers after, when the code comes with the password', async () => {
    const email = 'second@example.test';
    const [thief, owner] = [caller(), caller()];
    await owner.register(email, OWNER);
    const code = await box.code(email, 0);
    await thief.register(email, THIEF);
    const thiefsCode = await box.code(email, 1);
    if (thiefsCode !== code) expect(await owner.verify(email, thiefsCode, OWNER)).toBe(400);
    expect(await owner.verify(email, code, OWNER)).toBe(200);
    expect(await thief.login(email, THIEF)).toBe(401);
    expect(await owner.login(email, OWNER)).toBe(200);
  });

  it('sends another code to the registration of the password, whoever registered since', async () => {
    const email = 'again@example.test';
    const [thief, owner] = [caller(), caller()];
    await owner.register(email, OWNER);
    await box.code(email, 0);
    await thief.register(email, THIEF);
    await box.code(email, 1);
    await owner.resend(email, OWNER);
    expect(await owner.verify(email, await box.code(email, 2), OWNER)).toBe(200);
    expect(await owner.login(email, OWNER)).toBe(200);
    expect(await thief.login(email, THIEF)).toBe(401);
  });

  it('stays the same when somebody registers, asks for codes or guesses after the verification', async () => {
    const email = 'third@example.test';
    const [thief, owner] = [caller(), caller()];
    await thief.register(email, THIEF);
    const early = await box.code(email, 0);
    await owner.register(email, OWNER);
    expect(await owner.verify(email, await box.code(email, 1))).toBe(200);
    const count = box.to(email).length;
    await thief.register(email, THIEF);
    await thief.resend(email);
    expect(await thief.verify(email, early)).toBe(400);
    expect(await thief.verify(email, early, THIEF)).toBe(400);
    expect(await thief.login(email, THIEF)).toBe(401);
    expect(await owner.login(email, OWNER)).toBe(200);
    expect(box.to(email)).toHaveLength(count);
  });

  it.each([
    ['Case@Example.Test', 'case@example.test'],
    ['CASE2@EXAMPLE.TEST', 'case2@example.test'],
  ])('is decided for %s and %s as for one address', async (written, email) => {
    const [thief, owner] = [caller(), caller()];
    await thief.register(written, THIEF);
    await box.code(email, 0);
    await owner.register(email, OWNER);
    expect(await owner.verify(written, await box.code(email, 1))).toBe(200);
    expect([await thief.login(email, THIEF), await thief.login(written, THIEF)]).toEqual([401, 401]);
    expect(await owner.login(written, OWNER)).toBe(200);
  });

  it.each(['\u212Aate@example.test', 'kate@example.test ', 'kate@ex\u0430mple.test', 'kate\u0000@example.test'])(
    'refuses %j, which looks like an address that it is not',
    async (email) => {
      expect((await caller().register(email, THIEF)).status).toBe(400);
    },
  );
});

describe('a mailed code', () => {
  it('works once, and not after five wrong ones, however right it is', async () => {
    const email = 'tries@example.test';
    const owner = caller();
    await owner.register(email, OWNER);
    const code = await box.code(email, 0);
    for (let n = 0; n < 5; n++) expect(await owner.verify(email, another(code))).toBe(400);
    expect(await owner.verify(email, code)).toBe(400);
    await owner.resend(email);
    const second = await box.code(email, 1);
    expect(await owner.verify(email, second)).toBe(200);
    expect(await owner.verify(email, second)).toBe(400);
  });

  it('does not lose its tries to guesses at another registration of the address', async () => {
    const email = 'burned@example.test';
    const [thief, owner] = [caller(), caller()];
    await owner.register(email, OWNER);
    const code = await box.code(email, 0);
    await thief.register(email, THIEF);
    await box.code(email, 1);
    for (let n = 0; n < 6; n++) expect(await thief.verify(email, another(code))).toBe(400);
    expect(await owner.verify(email, code, OWNER)).toBe(200);
  });

  it('ends after an hour', async () => {
    const email = 'late@example.test';
    const owner = caller();
    await owner.register(email, OWNER);
    const code = await box.code(email, 0);
    await sql(roost, `UPDATE gateway.registrations SET code_expires_at = now() WHERE email = $1`, [email]);
    expect(await owner.verify(email, code)).toBe(400);
  });

  it('is kept as a hash that nobody without the master key can try out', async () => {
    const email = 'hashed@example.test';
    await caller().register(email, OWNER);
    const code = await box.code(email, 0);
    const rows = JSON.stringify(await sql(roost, `SELECT * FROM gateway.registrations WHERE email = $1`, [email]));
    const [row] = await sql<{ plain: string }>(roost, `SELECT encode(sha256($1::text::bytea), 'hex') AS plain`, [code]);
    expect(rows).not.toContain(code);
    expect(rows).not.toContain(row?.plain);
  });
});

it('two verifications of two registrations at once let one in', async () => {
  const email = 'race@example.test';
  const [one, other] = [caller(), caller()];
  await one.register(email, OWNER);
  await box.code(email, 0);
  await other.register(email, THIEF);
  await box.code(email, 1);
  const [first, second] = [await box.code(email, 0), await box.code(email, 1)];
  const results = await Promise.all([one.verify(email, first, OWNER), other.verify(email, second, THIEF)]);
  expect(results.toSorted()).toEqual([200, 400]);
  expect([await one.login(email, OWNER), await other.login(email, THIEF)]).toEqual(
    results.map((status) => (status === 200 ? 200 : 401)),
  );
  await until('nothing waits any more', async () => {
    const rows = await sql(roost, `SELECT 1 FROM gateway.registrations WHERE email = $1`, [email]);
    return rows.length === 0;
  });
});
