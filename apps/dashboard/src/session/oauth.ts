import type { SignInMethods } from '@roost-ai/sdk';
import { roost } from '../api/roost.js';
import { toastError } from '../components/toasts.js';

type Provider = SignInMethods['providers'][number];

/** What the page must know again when the browser comes back; in this tab alone, and nothing of it is secret from it. */
interface Begun {
  provider: Provider;
  state: string;
  to: string;
}

const KEY = 'roost-sign-in';

/** Leaves the page for the provider's. */
export async function beginOAuth(provider: Provider, to: string): Promise<void> {
  try {
    const { authorization_url: url, state } = await roost.auth.beginOAuth(provider);
    sessionStorage.setItem(KEY, JSON.stringify({ provider, state, to } satisfies Begun));
    window.location.assign(url);
  } catch (error) {
    toastError(error);
  }
}

/** What was begun in this tab, once, if this is its answer: an answer that nobody here asked for is an attack. */
export function takeBegun(state: string | undefined): Begun | undefined {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (kept === null) return undefined;
  const begun = JSON.parse(kept) as Begun;
  return begun.state === state ? begun : undefined;
}
