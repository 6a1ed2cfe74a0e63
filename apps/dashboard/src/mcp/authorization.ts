import { keepWhileAway, takeBack } from '../api/away.js';
import { roost } from '../api/roost.js';

interface Begun {
  agentId: string;
  serverId: string;
  state: string;
}

const KEY = 'roost-mcp-authorization';

/** Leaves the page for that of the authorization server, which sends the browser back to `/mcp/callback`. */
export async function beginAuthorization(agentId: string, serverId: string): Promise<void> {
  const redirect = `${window.location.origin}/mcp/callback`;
  const { authorization_url: url, state } = await roost.mcp.authorize(serverId, { redirect_uri: redirect });
  keepWhileAway(KEY, { agentId, serverId, state } satisfies Begun);
  window.location.assign(url);
}

/** What was begun in this tab, once, if this is its answer. */
export const takeAuthorization = (state: string | undefined): Begun | undefined => takeBack<Begun>(KEY, state);
