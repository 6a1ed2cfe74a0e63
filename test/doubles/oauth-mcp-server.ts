import { InvalidGrantError, InvalidTokenError, ServerError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { OAuthClientInformationFull, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OAuthMcpServer {
  url: string;
  /** Every token that was ever handed out. */
  issued: string[];
  registrations: number;
  refreshes: number;
  /** Access tokens that were given so far are refused from now on. */
  expireAccessTokens(): void;
  /** Refresh tokens as well: only the owner can grant access anew. */
  revoke(): void;
  /** While true the token endpoint fails, as when the authorization server is down. */
  isDown: boolean;
  close(): void;
}

/**
 * An MCP server behind an authorization server of its own, both with the SDK's handlers: discovery, registration, PKCE
 * (S256, checked by the SDK), refresh with rotation. Whoever opens its authorization page has granted access.
 */
export async function oauthMcpServer(): Promise<OAuthMcpServer> {
  const app = createMcpExpressApp();
  const server = createServer((request, response) => void app(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${base}/mcp`;
  const state: OAuthMcpServer = {
    url,
    issued: [],
    registrations: 0,
    refreshes: 0,
    expireAccessTokens: () => access.clear(),
    revoke: () => {
      access.clear();
      refresh.clear();
    },
    isDown: false,
    close: () => server.close().closeAllConnections(),
  };
  const clients = new Map<string, OAuthClientInformationFull>();
  const codes = new Map<string, { clientId: string; challenge: string }>();
  const access = new Map<string, string>();
  const refresh = new Map<string, string>();

  const issue = (clientId: string): OAuthTokens => {
    const tokens = { access_token: `at-${randomUUID()}`, refresh_token: `rt-${randomUUID()}` };
    access.set(tokens.access_token, clientId);
    refresh.set(tokens.refresh_token, clientId);
    state.issued.push(...Object.values(tokens));
    return { ...tokens, token_type: 'Bearer', expires_in: 3_600 };
  };
  const provider: OAuthServerProvider = {
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient: (metadata) => {
        const client = { ...metadata, client_id: randomUUID() };
        clients.set(client.client_id, client);
        state.registrations++;
        return client;
      },
    },
    authorize: (client, { codeChallenge, redirectUri, state: returned }, response) => {
      const code = randomUUID();
      codes.set(code, { clientId: client.client_id, challenge: codeChallenge });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      if (returned) back.searchParams.set('state', returned);
      response.redirect(back.href);
      return Promise.resolve();
    },
    challengeForAuthorizationCode: (_, code) => Promise.resolve(codes.get(code)?.challenge ?? ''),
    exchangeAuthorizationCode: (client, code) => {
      if (codes.get(code)?.clientId !== client.client_id) throw new InvalidGrantError('unknown code');
      codes.delete(code);
      return Promise.resolve(issue(client.client_id));
    },
    exchangeRefreshToken: (client, token) => {
      if (state.isDown) throw new ServerError('down');
      if (refresh.get(token) !== client.client_id) throw new InvalidGrantError('unknown refresh token');
      refresh.delete(token);
      state.refreshes++;
      return Promise.resolve(issue(client.client_id));
    },
    verifyAccessToken: (token) => {
      const clientId = access.get(token);
      if (!clientId) throw new InvalidTokenError('expired');
      return Promise.resolve({ token, clientId, scopes: [], expiresAt: Math.floor(Date.now() / 1_000) + 3_600 });
    },
  };
  app.use(mcpAuthRouter({ provider, issuerUrl: new URL(base), resourceServerUrl: new URL(url) }));
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(url));
  app.post('/mcp', requireBearerAuth({ verifier: provider, resourceMetadataUrl }), (request, response) => {
    const mcp = new McpServer({ name: 'guarded', version: '1' });
    mcp.registerTool('whoami', { description: 'Says that you may be here' }, () => ({
      content: [{ type: 'text', text: 'an authorised guest' }],
    }));
    const transport = new StreamableHTTPServerTransport({});
    response.on('close', () => void transport.close());
    void mcp.connect(transport as Transport).then(() => transport.handleRequest(request, response, request.body));
  });
  app.get('/mcp', (_, response) => void response.status(405).end());
  return state;
}
