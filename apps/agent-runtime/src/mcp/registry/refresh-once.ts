import { setTimeout as sleep } from 'node:timers/promises';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { RENEWAL_LEASE_MS, RENEWAL_MS } from './oauth-state.js';

export interface RefreshOnceOptions {
  /** The tokens as they are stored now: another process may have renewed them. */
  stored(): Promise<OAuthTokens | undefined>;
  /** Takes the lease to renew them with this refresh token: false while another process has it, or has stored others. */
  begin(refreshToken: string): Promise<boolean>;
  /** Gives it back where there is nothing to store; who stores the tokens gives it back with that. */
  end(): Promise<void>;
  /** The authorization server did not take this refresh token. */
  onRefused(refreshToken: string): void;
}

/** Another process that has renewed the tokens, though its lease was over, has stored them by then. */
const STORED_MS = 500;
const POLL_MS = 100;
/** Who waits for the renewal of a process that was killed renews them when its lease is over. */
const WAIT_MS = RENEWAL_LEASE_MS + 5_000;

/**
 * A fetch under which one of those who find the access token expired renews it, and the others, also in other processes, get
 * what it got. A refresh token is good for one use: the second is refused, and some servers end the whole grant for it
 * (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
 */
export function refreshOnce(fetch: FetchLike, { stored, begin, end, onRefused }: RefreshOnceOptions): FetchLike {
  let latest: Refresh | undefined;
  /** What somebody else has stored since `refreshToken` was read. */
  const renewed = async (refreshToken: string): Promise<Answer | undefined> => {
    const tokens = await stored();
    if (tokens?.refresh_token === undefined || tokens.refresh_token === refreshToken) return undefined;
    return answerOf(Response.json(tokens));
  };
  const send = async (refreshToken: string, request: () => Promise<Response>): Promise<Answer> => {
    const answer = await answerOf(await request());
    if (answer.status < 400 || answer.status >= 500) return answer;
    await sleep(STORED_MS);
    const others = await renewed(refreshToken);
    if (!others) onRefused(refreshToken);
    return others ?? answer;
  };
  const ask = async (refreshToken: string, request: () => Promise<Response>): Promise<Answer> => {
    for (const deadline = performance.now() + WAIT_MS; performance.now() < deadline; await sleep(POLL_MS)) {
      const others = await renewed(refreshToken);
      if (others) return others;
      if (!(await begin(refreshToken))) continue;
      let isGranted = false;
      try {
        const answer = await send(refreshToken, request);
        isGranted = answer.status < 300 && tokensIn(answer.text).access_token !== undefined;
        return answer;
      } finally {
        if (!isGranted) await end();
      }
    }
    throw new Error('another process has not renewed the tokens in time');
  };
  const join = (refreshToken: string, request: () => Promise<Response>): Refresh => {
    const refresh = { refreshToken, answer: ask(refreshToken, request) };
    const forget = () => (latest = latest === refresh ? undefined : latest);
    // A token that was replaced stays known for those who read it before its successor was stored.
    refresh.answer.then(({ text }) => void (replaces(text, refreshToken) || forget()), forget);
    return refresh;
  };
  return async (url, init) => {
    const refreshToken = refreshTokenIn(init);
    if (refreshToken === undefined) return fetch(url, init);
    const request = () => fetch(url, { ...init, signal: AbortSignal.timeout(RENEWAL_MS) });
    const asked = () => {
      if (latest?.refreshToken !== refreshToken) latest = join(refreshToken, request);
      return latest.answer;
    };
    const { text, status, headers } = (await renewed(refreshToken)) ?? (await asked());
    return new Response(text, { status, headers });
  };
}

interface Refresh {
  refreshToken: string;
  answer: Promise<Answer>;
}

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, text: await response.text() };
}

function refreshTokenIn(init: RequestInit | undefined): string | undefined {
  const { body } = init ?? {};
  if (!(body instanceof URLSearchParams) || body.get('grant_type') !== 'refresh_token') return undefined;
  return body.get('refresh_token') ?? undefined;
}

function replaces(text: string, refreshToken: string): boolean {
  const next = tokensIn(text).refresh_token;
  return typeof next === 'string' && next !== refreshToken;
}

/** Nothing where it is no answer with tokens: the SDK says what is wrong with it. */
function tokensIn(text: string): { access_token?: unknown; refresh_token?: unknown } {
  try {
    return (JSON.parse(text) as object | null) ?? {};
  } catch {
    return {};
  }
}
