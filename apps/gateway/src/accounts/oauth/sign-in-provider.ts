import * as client from 'openid-client';
import { RoostError } from '#lib/contracts';
import type { Profile } from '../link-identity.js';

export const SIGN_IN_PROVIDERS = ['google', 'github'] as const;
export type SignInProviderName = (typeof SIGN_IN_PROVIDERS)[number];

/** What shows that a sign-in that comes back is one that we began. */
export interface PendingSignIn {
  state: string;
  /** PKCE, RFC 7636. */
  codeVerifier: string;
  nonce: string;
}

/** Google, GitHub: where a user is sent to, and who came back. */
export interface SignInProvider {
  authorizationUrl(pending: PendingSignIn, redirectUrl: string): Promise<URL>;
  /** `callback` is the redirect URL with what the provider added. Errors: UNAUTHORIZED, SERVICE_UNAVAILABLE. */
  profile(callback: URL, pending: PendingSignIn): Promise<Profile>;
}

export const newSignIn = (): PendingSignIn => ({
  state: client.randomState(),
  codeVerifier: client.randomPKCECodeVerifier(),
  nonce: client.randomNonce(),
});

/** What both providers are asked with: the code comes back to `redirectUrl`, bound to state and PKCE. */
export async function authorizationParameters(
  pending: PendingSignIn,
  redirectUrl: string,
): Promise<Record<string, string>> {
  return {
    redirect_uri: redirectUrl,
    state: pending.state,
    code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
  };
}

/** Plain HTTP is for a provider on this machine only, such as a test's. */
export const isLoopback = (url: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

/** Runs a step of a sign-in; what the provider refuses is the user's matter, that it is away is ours. */
export async function atProvider<T>(name: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof RoostError) throw error;
    const code = (error as { code?: unknown } | null)?.code;
    const isAway =
      (error instanceof TypeError && code === undefined) ||
      code === 'OAUTH_TIMEOUT' ||
      (error instanceof client.ClientError && error.cause instanceof TypeError);
    if (isAway) throw new RoostError('SERVICE_UNAVAILABLE', `${name} cannot be reached; try again later`);
    throw new RoostError('UNAUTHORIZED', `${name} did not accept the sign-in: begin again`);
  }
}
