import { createHash, hash } from 'node:crypto';
import { Database } from '#lib/database';
import { deferred, type TestRoost, until } from '#lib/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Mailbox } from '../../test/mailbox.js';
import { type Caller, MailingGateway } from '../../test/mailing-gateway.js';
import { previousToken, sql } from '../../test/tenants.js';

interface Body {
  id: string;
  key: string;
  token: string;
  refresh_token: string;
}

const OLD = 'the thief knows this';
const NEW = 'the owner chose this';
const THIEFS = 'the thief chose this';

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
const whoIs = async (token: string) =>
  (await roost.api('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${token}` })).status;

/** Somebody with a password that a thief knows, who is at another address; `reset` is by the mailed code. */
async function victim(name: string) {
  const email = `${name}@example.test`;
  const [from, thief] = [newAddress(), newAddress()];
  await post('create_user', { email, password: OLD }, { from });
  expect((await post('verify_user', { email, code: await box.code(email) }, { from })).status).toBe(200);
  await post('forgot_password', { email }, { from });
  const code = await box.resetCode(email);
  const login = (password: string, at = from) => post('login', { email, password }, { from: at });
  return {
    email,
    from,
    thief,
    login,
    signIn: async (at = from) => (await login(OLD, at)).body.token,
    reset: () => post('reset_password', { code, new_password: NEW }, { from }),
  };
}

/** Runs a statement and keeps its locks until `release`. */
async function holding(statement: string, values: unknown[] = []) {
  const client = new Client(roost.databaseUrl);
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement, values);
  return { release: () => client.end() };
}

/** Whoever shows the right password from there stands still between its check and what they may do by it. */
const holdingAfterCheck = ({ email, thief }: { email: string; thief: string }) =>
  holding(`INSERT INTO gateway.login_places (who) VALUES ($1)`, [
    createHash('sha256').update(`${email} at ${thief}`).digest('base64url'),
  ]);

const areWaiting = (count: number) =>
  until(`${count} statements wait for a lock`, async () => {
    const waiting = await sql(
      roost,
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return waiting.length >= count;
  });

describe('a password that is replaced while a request with it is under way', () => {
  it.each([
    ['login', {}],
    ['session', { 'x-roost-csrf': '1', 'sec-fetch-site': 'same-origin' }],
  ])('signs nobody in any more: %s', async (path, headers) => {
    const ada = await victim(`signing-in-by-${path}`);
    const held = await holdingAfterCheck(ada);
    const stolen = post(path, { email: ada.email, password: OLD }, { from: ada.thief, headers });
    await areWaiting(1);
    expect((await ada.reset()).status).toBe(200);
    await held.release();
    expect((await stolen).status).toBe(401);
    expect((await ada.login(NEW)).status).toBe(200);
  });

  it('ends also the sign-in that was about to be stored', async () => {
    const ada = await victim('storing');
    const held = await holding(`LOCK TABLE gateway.audit IN EXCLUSIVE MODE`);
    const stolen = ada.login(OLD, ada.thief);
    await areWaiting(1);
    const reset = ada.reset();
    await areWaiting(2);
    await held.release();
    expect((await reset).status).toBe(200);
    const { status, body } = await stolen;
    expect(status).toBe(200);
    expect(await whoIs(body.token)).toBe(401);
  });

  it.each(['reset', 'changed'])('changes no password any more that was %s', async (how) => {
    const ada = await victim(`password-${how}`);
    const [owners, thiefs] = [await ada.signIn(), await ada.signIn()];
    const held = await holdingAfterCheck(ada);
    const change = (new_password: string, shown: Caller) =>
      post('change_password', { current_password: OLD, new_password }, shown);
    const stolen = change(THIEFS, { token: thiefs, from: ada.thief });
    await areWaiting(1);
    const mended = how === 'reset' ? await ada.reset() : await change(NEW, { token: owners, from: ada.from });
    expect(mended.status).toBe(200);
    await held.release();
    expect((await stolen).status).toBe(403);
    expect([(await ada.login(NEW)).status, (await ada.login(THIEFS)).status]).toEqual([200, 401]);
    if (how === 'changed') expect(await whoIs(owners)).toBe(200);
  });

  it('deletes no account any more', async () => {
    const ada = await victim('deleting');
    const token = await ada.signIn();
    const held = await holdingAfterCheck(ada);
    const stolen = post('delete_account', { password: OLD }, { token, from: ada.thief });
    await areWaiting(1);
    expect((await ada.reset()).status).toBe(200);
    await held.release();
    expect((await stolen).status).toBe(403);
    expect((await ada.login(NEW)).status).toBe(200);
  });
});

describe('a sign-in that is ended while a request with it is under way', () => {
  /** Lets `first` and then `second` wait for the user's row, and go on one after the other. */
  async function inTurn<A, B>(email: string, first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
    const held = await holding(`SELECT 1 FROM gateway.users WHERE email = $1 FOR UPDATE`, [email]);
    const one = first();
    await areWaiting(1);
    const two = second();
    await areWaiting(2);
    await held.release();
    return Promise.all([one, two]);
  }

  it('gives no password to a user who has none', async () => {
    const ada = await victim('no-password');
    const [owners, thiefs] = [await ada.signIn(), await ada.signIn()];
    await sql(roost, `UPDATE gateway.users SET password_hash = NULL WHERE email = $1`, [ada.email]);
    const [ended, stolen] = await inTurn(
      ada.email,
      () => post('logout_everywhere', {}, { token: owners }),
      () => post('change_password', { new_password: THIEFS }, { token: thiefs, from: ada.thief }),
    );
    expect([ended.status, stolen.status]).toEqual([200, 401]);
    expect((await ada.login(THIEFS)).status).toBe(401);
  });

  it('is not begun again by a refresh token of the version before', async () => {
    const ada = await victim('upgrading');
    const token = await ada.signIn();
    const [user] = await sql<{ id: string }>(roost, `SELECT id FROM gateway.users WHERE email = $1`, [ada.email]);
    const refresh_token = await previousToken(roost, user?.id ?? '', 'refresh');
    const [ended, stolen] = await inTurn(
      ada.email,
      () => post('logout_everywhere', {}, { token }),
      () => post('refresh', { refresh_token }, { from: ada.thief }),
    );
    expect([ended.status, stolen.status]).toEqual([200, 401]);
  });

  it('makes no API key', async () => {
    const ada = await victim('making-keys');
    const [owners, thiefs] = [await ada.signIn(), await ada.signIn()];
    const held = await holding(`LOCK TABLE gateway.account_quotas IN ACCESS EXCLUSIVE MODE`);
    const stolen = post('platform_keys', { name: 'for later' }, { token: thiefs, from: ada.thief });
    await areWaiting(1);
    expect((await post('logout_everywhere', {}, { token: owners })).status).toBe(200);
    await held.release();
    expect((await stolen).status).toBe(401);
  });
});

describe('an API key that is revoked while a request with it is under way', () => {
  const newKey = async () => (await post('platform_keys', { name: 'leaked' }, { token: roost.apiKey })).body;
  const revoke = async (id: string) => (await roost.api('DELETE', `/auth/platform_keys/${id}`)).status;

  it('makes no other', async () => {
    const leaked = await newKey();
    const held = await holding(`LOCK TABLE gateway.account_quotas IN ACCESS EXCLUSIVE MODE`);
    const stolen = post('platform_keys', { name: 'for later' }, { token: leaked.key });
    await areWaiting(1);
    expect(await revoke(leaked.id)).toBe(200);
    await held.release();
    expect((await stolen).status).toBe(401);
  });

  it('lets the next request in no more, though it was read before', async () => {
    const leaked = await newKey();
    const [read, revoked] = [deferred(), deferred()];
    const { query } = Database.prototype;
    const spy = vi.spyOn(Database.prototype, 'query').mockImplementation(async function (
      this: Database,
      text: string,
      values: unknown[] = [],
    ) {
      const rows = await query.call(this, text, values);
      if (values.length === 1 && values[0] === hash('sha256', leaked.key)) {
        read.resolve();
        await revoked.promise;
      }
      return rows as never;
    });
    try {
      const first = whoIs(leaked.key);
      await read.promise;
      expect(await revoke(leaked.id)).toBe(200);
      // Asks the other services over the bus: by its answer the gateway has got its own hint, too.
      await roost.api('GET', '/auth/fetch_user_quota');
      revoked.resolve();
      await first;
      expect(await whoIs(leaked.key)).toBe(401);
    } finally {
      revoked.resolve();
      spy.mockRestore();
    }
  });
});
