import { AuthenticationError, ConnectionError, RoostError } from '@roost-ai/sdk';
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';

export const sessionKey = ['session'] as const;

/** The SDK itself tries again what may be sent twice: asking again here would multiply it. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noteEnd }),
  mutationCache: new MutationCache({ onError: noteEnd }),
  defaultOptions: {
    queries: { retry: false, staleTime: 10_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
});

/** Whoever is signed out meanwhile is asked who they are, and comes back to where they were. */
function noteEnd(error: Error): void {
  if (error instanceof AuthenticationError) queryClient.setQueryData(sessionKey, null);
}

/** Whether Roost could not be asked, in contrast to a refusal. */
export const isAway = (error: unknown): boolean =>
  error instanceof ConnectionError || (error instanceof RoostError && error.status >= 502);
