import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oauthMcpServer, type OAuthMcpServer } from '../../../../../test/doubles/oauth-mcp-server.js';
import { AuthorizationNeeded } from '../server-failure.js';
import { OAuthClient } from './oauth-client.js';
import type { ServerAt } from './mcp-servers.repository.js';
import { type OAuthState, takePending } from './oauth-state.js';

const REDIRECT = 'http://127.0.0.1:9/back';
const SERVER = { id: 'server', url: null };

/** The sealed column of one server, as every process sees it. */
class Column {
  state: OAuthState = {};
  oauth = () => Promise.resolve(structuredClone(this.state));
  changeOAuth = (_: ServerAt, change: (state: OAuthState, now: Date) => OAuthState) => {
    this.state = change(structuredClone(this.state), new Date());
    return Promise.resolve();
  };
}

describe('an access token that expired', () => {
  let server: OAuthMcpServer;
  let column: Column;
  beforeAll(async () => void (server = await oauthMcpServer()));
  afterAll(() => server.close());

  /** One process and what it does with its tokens. */
  const startProcess = () => {
    const client = new OAuthClient(column, SERVER, REDIRECT, false);
    const fetchFn = client.refreshing(fetch);
    return { renew: () => auth(client, { serverUrl: server.url, fetchFn }) };
  };
  const rejections = (results: PromiseSettledResult<string>[]) =>
    results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));

  beforeEach(async () => {
    column = new Column();
    const asking = new OAuthClient(column, SERVER, REDIRECT, true);
    await auth(asking, { serverUrl: server.url });
    const granted = await fetch(asking.authorizationUrl ?? '', { redirect: 'manual' });
    const back = new URL(granted.headers.get('location') ?? '');
    const pending = takePending(column.state, back.searchParams.get('state') ?? '', new Date());
    const finishing = new OAuthClient(column, SERVER, REDIRECT, true, pending?.taken);
    await auth(finishing, { serverUrl: server.url, authorizationCode: back.searchParams.get('code') ?? '' });
    server.expireAccessTokens();
    server.refreshes = 0;
  });

  it('is renewed once for all calls of a process, and again when the next one expires', async () => {
    const { renew } = startProcess();
    for (const round of [1, 2]) {
      const before = column.state.tokens?.refresh_token;
      await expect(Promise.all([renew(), renew(), renew(), renew(), renew()])).resolves.toEqual(
        Array.from({ length: 5 }, () => 'AUTHORIZED'),
      );
      expect(server.refreshes).toBe(round);
      expect(column.state.tokens?.refresh_token).not.toBe(before);
      server.expireAccessTokens();
    }
  });

  it('is renewed for the calls of several processes, and nobody has to grant access again', async () => {
    const processes = [startProcess(), startProcess(), startProcess()];
    const results = await Promise.allSettled(processes.flatMap(({ renew }) => [renew(), renew()]));
    expect(rejections(results)).toEqual([]);
    // What was stored last is the one that is good.
    await expect(startProcess().renew()).resolves.toBe('AUTHORIZED');
  });

  it('is not renewed with a grant that is gone: its owner is needed, at all calls', async () => {
    server.revoke();
    const { renew } = startProcess();
    const results = await Promise.allSettled([renew(), renew(), renew()]);
    expect(rejections(results)).toHaveLength(3);
    for (const error of rejections(results)) expect(error).toBeInstanceOf(AuthorizationNeeded);
    expect(column.state.tokens).toBeUndefined();
  });

  it('is renewed later when the authorization server was down, by the same refresh token', async () => {
    const { renew } = startProcess();
    server.isDown = true;
    const failed = await Promise.allSettled([renew(), renew()]);
    expect(rejections(failed)).toHaveLength(2);
    server.isDown = false;
    await expect(renew()).resolves.toBe('AUTHORIZED');
    expect(server.refreshes).toBe(1);
  });

  it('leaves a grant as it is when a code for another one is refused', async () => {
    const before = column.state.tokens;
    const pending = { state: 's', verifier: 'v', redirectUri: REDIRECT, expiresAt: Date.now() + 60_000 };
    const finishing = new OAuthClient(column, SERVER, REDIRECT, true, pending);
    await expect(auth(finishing, { serverUrl: server.url, authorizationCode: 'wrong' })).rejects.toThrow();
    expect(column.state.tokens).toEqual(before);
  });
});
