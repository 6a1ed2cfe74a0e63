import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../../test/second-gateway.js';
import { keyOfNewAccount, sql, verifiedUser } from '../../test/tenants.js';

interface Body {
  id: string;
  key: string;
  token: string;
  error: { code: string };
}

let roost: TestRoost;
let other: Awaited<ReturnType<typeof secondGateway>>;
let agent: string;
beforeAll(async () => {
  roost = await startRoost({ services: ['gateway', 'agent-lifecycle', 'messaging'] });
  other = await secondGateway(roost);
  agent = await newAgent(roost.apiKey);
});
afterAll(async () => {
  await other?.stop();
  await roost?.stop();
});

const newAgent = async (key: string) => {
  const made = await roost.api<Body>('POST', '/v1/agent/create', { name: 'followed' }, bearer(key));
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id;
};
const newKey = async () => (await roost.api<Body>('POST', '/auth/platform_keys', { name: 'k' })).body;
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** A stream of events that is open; `rest` is all it sends until it ends. */
async function follow(url: string, secret: string, agentId = agent) {
  const response = await fetch(`${url}/v1/agent/${agentId}/events`, { headers: bearer(secret) });
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  // Its first words show that it is watched.
  let text = (await reader?.read())?.value ?? '';
  const rest = (async () => {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
    return text;
  })();
  return { rest };
}

/** How long after `act` all of these have ended, in ms. */
async function endAfter<T>(ends: Promise<T>[], act: () => Promise<unknown>): Promise<{ ms: number; ended: T[] }> {
  await act();
  const begun = performance.now();
  const ended = await Promise.all(ends);
  return { ms: performance.now() - begun, ended };
}

/** Two seconds by contract; a busy machine gets more before it counts as never. */
const SOON_MS = 10_000;

describe('streams of events end', () => {
  const both = async (secret: string, agentId = agent) =>
    Promise.all([follow(roost.url, secret, agentId), follow(other.url, secret, agentId)]);

  it.each(['with the hint', 'when every hint is lost'])(
    'when their key is revoked, in every gateway, %s',
    async (how) => {
      const { id, key } = await newKey();
      const streams = await both(key);
      const stays = await follow(roost.url, roost.apiKey);
      const { ms, ended } = await endAfter(
        streams.map(({ rest }) => rest),
        async () => {
          if (how === 'with the hint')
            expect((await other.api('DELETE', `/auth/platform_keys/${id}`)).status).toBe(200);
          else await sql(roost, `UPDATE gateway.api_keys SET revoked_at = now() WHERE id = $1`, [id]);
        },
      );
      console.log(`revocation, ${how}: streams in two gateways ended after ${Math.round(ms)} ms`);
      expect(ms).toBeLessThan(SOON_MS);
      for (const text of ended) expect(text).toMatch(/event: stream\.ended\ndata: .*"reason":"credential_revoked"/);
      // Another key's goes on.
      expect(await Promise.race([stays.rest, new Promise((done) => setTimeout(done, 50, 'open'))])).toBe('open');
      for (const url of [roost.url, other.url]) {
        await until('the key opens nothing', async () => {
          const again = await fetch(`${url}/auth/fetch_user`, { headers: bearer(key) });
          await again.body?.cancel();
          return again.status === 401;
        });
      }
    },
  );

  it('when their account loses the feature, or is signed out', async () => {
    const key = await keyOfNewAccount(roost, true);
    const theirs = await newAgent(key);
    const [account] = await sql<{ account_id: string }>(
      roost,
      `SELECT account_id FROM lifecycle.agents WHERE id = $1`,
      [theirs],
    );
    const user = { email: 'streams@example.test', password: 'correct horse battery' };
    await verifiedUser(roost, user);
    await sql(roost, `UPDATE gateway.users SET account_id = $1 WHERE email = $2`, [account?.account_id, user.email]);
    const { token } = (await roost.api<Body>('POST', '/auth/login', user)).body;
    const signedIn = await both(token, theirs);
    const out = await endAfter(
      signedIn.map(({ rest }) => rest),
      () => other.api('POST', '/auth/logout', {}, bearer(token)),
    );
    for (const text of out.ended) expect(text).toContain('"reason":"credential_revoked"');
    const withKey = await both(key, theirs);
    const disabled = await endAfter(
      withKey.map(({ rest }) => rest),
      () => sql(roost, `UPDATE gateway.accounts SET agents_enabled = false WHERE id = $1`, [account?.account_id]),
    );
    for (const text of disabled.ended) expect(text).toContain('"reason":"agents_disabled"');
    console.log(`revocation: signed out ${Math.round(out.ms)} ms, disabled ${Math.round(disabled.ms)} ms`);
    expect(Math.max(out.ms, disabled.ms)).toBeLessThan(SOON_MS);
  });

  it.each(['with the event', 'when it is lost'])(
    'when their agent is deleted, with agent.deleted at last, %s',
    async (how) => {
      const deleted = await newAgent(roost.apiKey);
      const streams = await both(roost.apiKey, deleted);
      const { ms, ended } = await endAfter(
        streams.map(({ rest }) => rest),
        async () => {
          if (how === 'with the event')
            expect((await roost.api('POST', `/v1/agent/delete/${deleted}`)).status).toBe(200);
          else await sql(roost, `DELETE FROM lifecycle.agents WHERE id = $1`, [deleted]);
        },
      );
      console.log(`agent deleted, ${how}: streams in two gateways ended after ${Math.round(ms)} ms`);
      expect(ms).toBeLessThan(SOON_MS);
      for (const text of ended)
        expect(text.trimEnd().split('\n\n').at(-1)).toBe(`event: agent.deleted\ndata: {"agent_id":"${deleted}"}`);
    },
  );
});

describe('requests that wait end', () => {
  it('with 401 when their key is revoked', async () => {
    const { id, key } = await newKey();
    const message = await roost.api<Body>('POST', `/v1/agent/${agent}/messages`, { content: 'nobody answers' });
    const wait = roost.api<Body>(
      'GET',
      `/v1/agent/${agent}/messages/${message.body.id}?wait=60`,
      undefined,
      bearer(key),
    );
    // It has begun when messaging answers somebody else who asks the same after it.
    await roost.api('GET', `/v1/agent/${agent}/messages/${message.body.id}`);
    const { ms, ended } = await endAfter([wait], () =>
      sql(roost, `UPDATE gateway.api_keys SET revoked_at = now() WHERE id = $1`, [id]),
    );
    expect([ended[0]?.status, ended[0]?.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    expect(ms).toBeLessThan(SOON_MS);
  });
});
