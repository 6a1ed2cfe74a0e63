import type { SignInMethods } from '@roost-ai/sdk';
import { keepWhileAway, takeBack } from '../api/away.js';
import { roost } from '../api/roost.js';
import { toastError } from '../components/toasts.js';

type Provider = SignInMethods['providers'][number];

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
    keepWhileAway(KEY, { provider, state, to } satisfies Begun);
    window.location.assign(url);
  } catch (error) {
    toastError(error);
  }
}

/** What was begun in this tab, once, if this is its answer. */
export const takeBegun = (state: string | undefined): Begun | undefined => takeBack<Begun>(KEY, state);
