import type { OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { isSameSecret } from '#lib/auth';

/** What is kept, sealed, of an authorisation and of one under way. */
export interface OAuthState {
  client?: OAuthClientInformationMixed;
  tokens?: OAuthTokens;
  discovery?: OAuthDiscoveryState;
  pending?: PendingAuthorization;
  renewal?: Renewal;
}

/** Who renews the tokens: a refresh token is good for one use. */
export interface Renewal {
  by: string;
  /** Milliseconds since 1970, by the database's clock. */
  expiresAt: number;
}

/** The latest authorisation that a user began for a server; an earlier one ends with it. */
export interface PendingAuthorization {
  state: string;
  verifier: string;
  redirectUri: string;
  /** Milliseconds since 1970, by the database's clock. */
  expiresAt: number;
}

/** The longest that a renewal may take from its request to the answer. */
export const RENEWAL_MS = 15_000;
/** With the time to store what it brought. */
export const RENEWAL_LEASE_MS = RENEWAL_MS + 5_000;

/** Time to sign in somewhere and to agree; a code is good for less: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 */
const lifetimeMs = 10 * 60_000;

export function beginPending(kept: OAuthState, begun: Omit<PendingAuthorization, 'expiresAt'>, now: Date): OAuthState {
  return { ...kept, pending: { ...begun, expiresAt: now.getTime() + lifetimeMs } };
}

/**
 * The authorisation under way that `state` was given out for, and what is left without it: it works once, and not after
 * ten minutes. A state that is not its own takes nothing away.
 */
export function takePending(
  kept: OAuthState,
  state: string,
  now: Date,
): { taken: PendingAuthorization; left: OAuthState } | undefined {
  const { pending, ...left } = kept;
  if (!pending || !isSameSecret(state, pending.state) || !(now.getTime() < pending.expiresAt)) return undefined;
  return { taken: pending, left };
}

/** Undefined while another renews the tokens, and where somebody has. */
export function beginRenewal(kept: OAuthState, refreshToken: string, by: string, now: Date): OAuthState | undefined {
  const { tokens, renewal } = kept;
  if (tokens?.refresh_token !== undefined && tokens.refresh_token !== refreshToken) return undefined;
  if (renewal && renewal.by !== by && now.getTime() < renewal.expiresAt) return undefined;
  return { ...kept, renewal: { by, expiresAt: now.getTime() + RENEWAL_LEASE_MS } };
}

/** Another's goes on. */
export function endRenewal(kept: OAuthState, by: string): OAuthState {
  const { renewal, ...left } = kept;
  return renewal?.by === by ? left : kept;
}
