import { startRoost, type TestRoost } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filled, idAt, idsIn, type Operation, operationsOf } from '../../test/operations.js';
import { type Belongings, belongingsOf, keyOfNewAccount, revokedKey, tokensOfNewUser } from '../../test/tenants.js';

interface ErrorBody {
  success: boolean;
  error: { code: string };
  meta: { request_id: string };
}

const UNKNOWN = '01890000-0000-7000-8000-00000000dead';
/** An id of the form that its parameter asks for, and of nothing. */
const unknown = (name: string) => (name === 'messageId' ? `msg_${UNKNOWN}` : UNKNOWN);

let roost: TestRoost;
let operations: Operation[];
let mine: Belongings;
let theirs: Belongings;
let stranger: string;

beforeAll(async () => {
  roost = await startRoost({
    env: { ROOST_RATE_LIMIT_PER_MINUTE: '1000000', ROOST_ADDRESS_LIMIT_PER_MINUTE: '1000000' },
  });
  operations = await operationsOf(roost);
  stranger = await keyOfNewAccount(roost, true);
  mine = await belongingsOf(roost, roost.apiKey);
  theirs = await belongingsOf(roost, stranger);
});
afterAll(async () => roost?.stop());

const call = (operation: Operation, url: string, authorization: string) => {
  const { method, isStream, example, requiredQuery } = operation;
  const body = method === 'GET' || method === 'DELETE' ? undefined : isStream ? new Uint8Array(8) : (example ?? {});
  const type = isStream ? { 'content-type': 'application/octet-stream' } : undefined;
  return roost.api<ErrorBody>(method, url + requiredQuery, body, { authorization, ...type });
};

describe('every route, with every identity, at every id position', () => {
  it('lets in nobody who may not call it', async () => {
    const tokens = await tokensOfNewUser(roost);
    const [header, payload] = tokens.good.split('.');
    const closed: [name: string, authorization: string][] = [
      ['nobody', ''],
      ['a malformed header', 'Basic abc'],
      ['an unknown key', `Bearer roost_sk_${'x'.repeat(40)}`],
      ['a revoked key', `Bearer ${await revokedKey(roost)}`],
      ['an expired token', `Bearer ${tokens.expired}`],
      ['a refresh token', `Bearer ${tokens.refresh}`],
      ['an unsigned token', 'Bearer eyJhbGciOiJub25lIn0.e30.'],
      ['a forged token', `Bearer ${header}.${payload}.${'A'.repeat(86)}`],
    ];
    const notOperators: [name: string, authorization: string][] = [
      ['a key of another account', `Bearer ${stranger}`],
      ['a token of another account', `Bearer ${tokens.good}`],
    ];
    const featureless: [name: string, authorization: string][] = [
      ['a key without the feature', `Bearer ${await keyOfNewAccount(roost, false)}`],
      ['a token without the feature', `Bearer ${tokens.good}`],
    ];
    expect(
      (await roost.api('GET', '/auth/fetch_user', undefined, { authorization: `Bearer ${tokens.good}` })).status,
    ).toBe(200);
    let checks = 0;
    for (const operation of operations.filter(({ access }) => access !== 'public')) {
      for (const url of urlsOf(operation.path)) {
        const identities = [
          ...closed,
          ...(operation.access === 'account' ? featureless : []),
          ...(operation.access === 'operator' ? notOperators : []),
        ];
        const answers = await Promise.all(identities.map(([, authorization]) => call(operation, url, authorization)));
        for (const [index, [name]] of identities.entries()) {
          const { status, body } = answers[index] ?? { status: 0, body: undefined };
          const refused = operation.access === 'operator' ? 'ACCESS_DENIED' : 'FEATURE_DISABLED';
          const wanted = closed.some(([of]) => of === name) ? [401, 'UNAUTHORIZED'] : [403, refused];
          expect([status, body?.error.code], `${name}: ${operation.method} ${url}`).toEqual(wanted);
          expect(body).toMatchObject({ success: false, meta: { request_id: expect.any(String) } });
          checks += 1;
        }
      }
    }
    console.log(`tenancy: ${checks} checks of identities over ${operations.length} operations`);
    expect(checks).toBeGreaterThanOrEqual(600);
  });

  it('distinguishes a stranger’s id from an unknown one on no route', async () => {
    const authorization = `Bearer ${stranger}`;
    let checks = 0;
    for (const operation of operations.filter(({ access }) => access === 'account' || access === 'signed-in')) {
      const positions = idsIn(operation.path);
      // From the first id on everything is mine, then what comes after one of their own is.
      for (const [from, position] of positions.entries()) {
        const at = (replace: (name: string) => string) =>
          filled(operation.path, (name) =>
            positions.indexOf(name) < from ? idAt(operation.path, name, theirs) : replace(name),
          );
        const [known, none] = [
          await call(
            operation,
            at((name) => idAt(operation.path, name, mine)),
            authorization,
          ),
          await call(operation, at(unknown), authorization),
        ];
        const where = `${operation.method} ${operation.path} from {${position}}`;
        expect(known.status, where).toBe(404);
        expect([known.status, known.body.error], where).toEqual([none.status, none.body.error]);
        checks += 2;
      }
    }
    console.log(`tenancy: ${checks} checks of a stranger’s ids in paths`);
    expect(checks).toBeGreaterThan(100);
  });

  it('shows a stranger nothing of mine in any list', async () => {
    for (const operation of operations.filter(({ method, path }) => method === 'GET' && idsIn(path).length === 0)) {
      const { body } = await call(operation, filled(operation.path, String), `Bearer ${stranger}`);
      for (const id of Object.values(mine)) expect(JSON.stringify(body), operation.path).not.toContain(id);
    }
  });

  it('distinguishes them neither in queries nor in bodies', async () => {
    const authorization = `Bearer ${stranger}`;
    const anonymous = (text: unknown) =>
      JSON.stringify(text, (key, value: unknown) =>
        /^(uuid|id|created_at|updated_at|request_id|timestamp|secret)$/.test(key) ? null : value,
      ).replaceAll(/[0-9a-f-]{36}/g, 'ID');
    const asked: [method: string, path: string, body: (id: string) => object | undefined][] = [
      ...operations
        .filter(({ method, queryNames }) => method === 'GET' && queryNames.includes('agent_id'))
        .map(({ path }): [string, string, () => undefined] => ['GET', `${path}?agent_id=`, () => undefined]),
      ['POST', `/v1/mcp/servers/${theirs.server}/access`, (agent_id) => ({ agent_id })],
      [
        'POST',
        '/v1/webhooks/endpoints',
        (id) => ({ url: `${roost.url}/hook`, events: ['*'], enabled: false, agent_ids: [id] }),
      ],
    ];
    for (const [method, path, bodyOf] of asked) {
      const ask = (id: string) =>
        roost.api(method, path.endsWith('=') ? `${path}${id}` : path, bodyOf(id), { authorization });
      const [known, none] = [await ask(mine.agent), await ask(UNKNOWN)];
      expect([known.status, anonymous(known.body)], path).toEqual([none.status, anonymous(none.body)]);
    }
  });

  it('has changed nothing of mine', async () => {
    const reads: [path: string, status: number][] = [
      [`/v1/agent/${mine.agent}`, 200],
      [`/v1/agent/${mine.agent}/messages/${mine.message}`, 200],
      [`/v1/agent/${mine.agent}/conversations`, 200],
      [`/v1/agent/${mine.agent}/schedules/${mine.schedule}`, 200],
      [`/v1/agent/${mine.agent}/triggers/${mine.trigger}`, 200],
      [`/v1/webhooks/endpoints/${mine.endpoint}`, 200],
      [`/v1/webhooks/deliveries/${mine.delivery}`, 200],
      [`/v1/mcp/servers/${mine.server}`, 200],
    ];
    for (const [path, status] of reads) expect((await roost.api('GET', path)).status, path).toBe(status);
    const agent = await roost.api<{ status: string; output_token_balance: number }>('GET', `/v1/agent/${mine.agent}`);
    expect(agent.body.status).toBe('active');
    const keys = await roost.api('GET', '/auth/platform_keys');
    expect(JSON.stringify(keys.body)).toContain(mine.key);
  });
});

/** The path with ids of mine, and with an unknown one at each position, one after the other. */
function urlsOf(path: string): string[] {
  const own = (name: string) => idAt(path, name, mine);
  const others = idsIn(path).map((position) =>
    filled(path, (name) => (name === position ? unknown(position) : own(name))),
  );
  return [filled(path, own), ...others];
}
