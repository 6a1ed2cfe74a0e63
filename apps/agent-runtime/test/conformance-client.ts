import { auth, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { localDevelopment } from '#lib/net-guard';
import { guardedFetch } from '../src/mcp/guarded-fetch.js';
import { McpConnection } from '../src/mcp/mcp-connection.js';
import { OAuthClient } from '../src/mcp/registry/oauth-client.js';
import type { OAuthState } from '../src/mcp/registry/oauth-state.js';

/**
 * Our MCP client as the conformance suite wants it: a program that is given a server's URL, connects, and calls
 * every tool once. Where the server asks for it, the user's part of the OAuth flow is played by following the link.
 */
const url = process.argv.at(-1) ?? '';
const REDIRECT = 'http://127.0.0.1:9/callback';
const server = { id: 'conformance', url };

class Memory {
  state: OAuthState = {};
  oauth(): Promise<OAuthState> {
    return Promise.resolve(this.state);
  }
  changeOAuth(_server: unknown, change: (state: OAuthState, now: Date) => OAuthState): Promise<void> {
    this.state = change(this.state, new Date());
    return Promise.resolve();
  }
}

const { fetch: guarded, close } = guardedFetch(localDevelopment);
const memory = new Memory();
const client = new OAuthClient(memory, server, REDIRECT, true);
const open = () =>
  McpConnection.open(
    new StreamableHTTPClientTransport(new URL(url), { fetch: guarded, authProvider: client }) as Transport,
  );

async function authorised<T>(work: () => Promise<T>, tries = 3): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || !client.authorizationUrl || tries === 0) throw error;
    const granted = await guarded(client.authorizationUrl);
    const code = new URL(granted.headers.get('location') ?? '').searchParams.get('code') ?? '';
    client.authorizationUrl = undefined;
    const finishing = new OAuthClient(memory, server, REDIRECT, true, memory.state.pending);
    await auth(finishing, { serverUrl: url, authorizationCode: code, fetchFn: guarded });
    return authorised(work, tries - 1);
  }
}

const EXAMPLES: Record<string, unknown> = { number: 5, integer: 5, string: 'x', boolean: true, array: [], object: {} };

const connection = await authorised(open);
for (const tool of connection.tools) {
  const { properties = {} } = tool.inputSchema as { properties?: Record<string, { type?: string }> };
  const args = Object.fromEntries(
    Object.entries(properties).map(([name, { type = 'string' }]) => [name, EXAMPLES[type]]),
  );
  await authorised(() => connection.call(tool.name, args, AbortSignal.timeout(20_000)));
}
await connection.close();
await close();
process.exit(0);
