import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';

/** The server knows the session no more, e.g. after its restart. What was asked of it was not carried out. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';

  constructor(status: number) {
    super(`the MCP server forgot the session (HTTP ${status})`);
  }
}

/** The specification says 404; servers of the official SDK's examples say 400 with one of these words. */
const ABOUT_SESSION = /session|not (yet )?initiali[sz]ed/i;

/**
 * Distinguishes a forgotten session from other failures, which the SDK does not. `always`: the session is in the address, as
 * with the older transport; else only a request that named one can have lost it.
 */
export function sessionFetch(fetch: FetchLike, always = false): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    const isOfSession = always || new Headers(init?.headers).has('mcp-session-id');
    if (init?.method !== 'POST' || !isOfSession) return response;
    if (response.status === 404) {
      await response.body?.cancel();
      throw new SessionLost(404);
    }
    if (response.status !== 400) return response;
    const text = await response.text();
    if (ABOUT_SESSION.test(text)) throw new SessionLost(400);
    return new Response(text, { status: 400, statusText: response.statusText, headers: response.headers });
  };
}
