import { setTimeout as sleep } from 'node:timers/promises';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';

export interface RefreshOnceOptions {
  /** The tokens as they are stored now: another process may have renewed them. */
  stored(): Promise<OAuthTokens | undefined>;
  /** The authorization server did not take this refresh token. */
  onRefused(refreshToken: string): void;
}

/** Another process that has renewed the tokens has stored them by then. */
const STORED_MS = 500;

/**
 * A fetch under which one of those who find the access token expired renews it, and the others, also in other processes, get
 * what it got. A refresh token is good for one use: the second is refused, and some servers end the whole grant for it
 * (https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
 */
export function refreshOnce(fetch: FetchLike, { stored, onRefused }: RefreshOnceOptions): FetchLike {
  let latest: Refresh | undefined;
  /** What somebody else has stored since `refreshToken` was read. */
  const renewed = async (refreshToken: string): Promise<Answer | undefined> => {
    const tokens = await stored();
    if (tokens?.refresh_token === undefined || tokens.refresh_token === refreshToken) return undefined;
    return answerOf(Response.json(tokens));
  };
  const ask = async (refreshToken: string, response: Promise<Response>): Promise<Answer> => {
    const answer = await answerOf(await response);
    if (answer.status < 400 || answer.status >= 500) return answer;
    await sleep(STORED_MS);
    const others = await renewed(refreshToken);
    if (!others) onRefused(refreshToken);
    return others ?? answer;
  };
  const begin = (refreshToken: string, response: Promise<Response>): Refresh => {
    const refresh = { refreshToken, answer: ask(refreshToken, response) };
    const forget = () => (latest = latest === refresh ? undefined : latest);
    // A token that was replaced stays known for those who read it before its successor was stored.
    refresh.answer.then(({ text }) => void (replaces(text, refreshToken) || forget()), forget);
    return refresh;
  };
  return async (url, init) => {
    const refreshToken = refreshTokenIn(init);
    if (refreshToken === undefined) return fetch(url, init);
    const asked = () => {
      if (latest?.refreshToken !== refreshToken) latest = begin(refreshToken, fetch(url, init));
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
  try {
    const { refresh_token: next } = JSON.parse(text) as { refresh_token?: unknown };
    return typeof next === 'string' && next !== refreshToken;
  } catch {
    return false; // the SDK says what is wrong with it
  }
}
