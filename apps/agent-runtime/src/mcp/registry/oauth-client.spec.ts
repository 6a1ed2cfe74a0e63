import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { keyringOf, Sealer } from '#lib/auth';
import { Database, newId } from '#lib/database';
import { deferred, freshDatabase, type FreshDatabase, until } from '#lib/testing';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { oauthMcpServer, type OAuthMcpServer } from '../../../../../test/doubles/oauth-mcp-server.js';
import { migrations } from '../../migrations/index.js';
import { AuthorizationNeeded } from '../server-failure.js';
import { McpServersRepository, type ServerAt, type ServerRow } from './mcp-servers.repository.js';
import { OAuthClient } from './oauth-client.js';
import { type PendingAuthorization, takePending } from './oauth-state.js';

const REDIRECT = 'http://127.0.0.1:9/back';

describe('an authorisation that is stored', () => {
  let old: OAuthMcpServer;
  let next: OAuthMcpServer;
  let empty: FreshDatabase;
  let database: Database;
  let servers: McpServersRepository;
  let row: ServerRow;

  beforeAll(async () => {
    [old, next, empty] = await Promise.all([oauthMcpServer(), oauthMcpServer(), freshDatabase()]);
    database = await Database.open({ url: empty.url, schema: 'runtime', migrations, poolSize: 4 });
    servers = new McpServersRepository(database, new Sealer(keyringOf(randomBytes(32).toString('base64'))));
  });
  afterAll(async () => {
    await database.close();
    await empty.drop();
    old.close();
    next.close();
  });
  beforeEach(async () => {
    row = await servers.create(newId(), { name: 'moving', url: old.url }, 1);
    await authorize(row);
  });

  const connectionTo = (server: ServerRow) => new OAuthClient(servers, server, REDIRECT, false);
  const moveTo = ({ url }: OAuthMcpServer) => servers.replace(row.account_id, row.id, { name: 'moving', url });

  /** As its owner does it, who follows the link. */
  async function authorize(server: ServerRow): Promise<void> {
    const serverUrl = server.url ?? '';
    const asking = new OAuthClient(servers, server, REDIRECT, true);
    await auth(asking, { serverUrl });
    const granted = await fetch(asking.authorizationUrl ?? '', { redirect: 'manual' });
    const back = new URL(granted.headers.get('location') ?? '');
    const taken: PendingAuthorization[] = [];
    await servers.changeOAuth(server, (kept, now) => {
      const found = takePending(kept, back.searchParams.get('state') ?? '', now);
      taken.push(...(found ? [found.taken] : []));
      return found?.left ?? kept;
    });
    const finishing = new OAuthClient(servers, server, REDIRECT, true, taken[0]);
    await auth(finishing, { serverUrl, authorizationCode: back.searchParams.get('code') ?? '' });
  }

  /** A turn, or another replica, may hold a connection to the address that a server had before. */
  describe('and the connection to an address that its server left', () => {
    it('is not given the tokens of the new one', async () => {
      const connection = connectionTo(row);
      await expect(connection.tokens()).resolves.toMatchObject({ access_token: old.issued.at(-2) });
      const moved = await moveTo(next);
      await authorize(moved);
      await expect(connectionTo(moved).tokens()).resolves.toMatchObject({ access_token: next.issued.at(-2) });
      await expect(connection.tokens()).resolves.toBeUndefined();
      await expect(connection.clientInformation()).rejects.toBeInstanceOf(AuthorizationNeeded);
    });

    it('does not lead the authorisation of the new one to its own authorization server', async () => {
      const connection = connectionTo(row);
      const moved = await moveTo(next);
      const registered = next.registrations;
      const serverUrl = old.url;
      await expect(auth(connection, { serverUrl, fetchFn: connection.refreshing(fetch) })).rejects.toBeInstanceOf(
        AuthorizationNeeded,
      );
      await authorize(moved);
      expect(next.registrations).toBe(registered + 1);
      await expect(connectionTo(moved).tokens()).resolves.toMatchObject({ access_token: next.issued.at(-2) });
    });

    it('stores nothing of a renewal that was under way', async () => {
      const connection = connectionTo(row);
      const fetchFn = connection.refreshing(async (url, init) => {
        const response = await fetch(url, init);
        if (init?.body instanceof URLSearchParams) await moveTo(next);
        return response;
      });
      await auth(connection, { serverUrl: old.url, fetchFn });
      const found = await servers.get(row.account_id, row.id);
      expect(found).toMatchObject({ url: next.url, is_authorized: false, oauth_sealed: null });
    });
  });

  describe('and several processes that renew its tokens', () => {
    let requests: number;
    let looks: number;
    beforeEach(() => {
      old.expireAccessTokens();
      [requests, looks] = [0, 0];
    });

    /** One process, which sends a refresh token when `mayGo` resolves. */
    function renewIn(server: ServerRow, mayGo: Promise<void> = Promise.resolve()): Promise<string> {
      const store = {
        oauth: (at: ServerAt) => (looks++, servers.oauth(at)),
        changeOAuth: servers.changeOAuth.bind(servers),
      };
      const client = new OAuthClient(store, server, REDIRECT, false);
      const fetchFn = client.refreshing(async (url, init) => {
        if (init?.body instanceof URLSearchParams) {
          requests++;
          await mayGo;
        }
        return fetch(url, init);
      });
      return auth(client, { serverUrl: old.url, fetchFn });
    }

    it('has a refresh token sent by one of them, and the others get what it got', async () => {
      const { promise: mayGo, resolve: go } = deferred();
      const first = renewIn(row, mayGo);
      await until('it sends the refresh token', () => requests === 1);
      const before = looks;
      const others = [renewIn(row, mayGo), renewIn(row, mayGo)];
      await until('the others send it, too, or wait', () => requests > 1 || looks >= before + 20);
      go();
      await expect(Promise.all([first, ...others])).resolves.toEqual(['AUTHORIZED', 'AUTHORIZED', 'AUTHORIZED']);
      expect(requests).toBe(1);
      const { tokens, renewal } = await servers.oauth(row);
      expect(tokens).toMatchObject({ access_token: old.issued.at(-2) });
      expect(renewal).toBeUndefined();
    });

    it('has them renewed by another where the one that began was killed', async () => {
      await servers.changeOAuth(row, (state, now) => ({
        ...state,
        renewal: { by: 'killed', expiresAt: now.getTime() + 1_000 },
      }));
      await expect(renewIn(row)).resolves.toBe('AUTHORIZED');
      expect(requests).toBe(1);
    });

    it('keeps no older tokens than are stored', async () => {
      const late = connectionTo(row);
      const tokens = await late.tokens();
      await renewIn(row);
      await late.saveTokens(tokens!);
      await expect(late.tokens()).resolves.toMatchObject({ access_token: old.issued.at(-2) });
    });
  });
});
