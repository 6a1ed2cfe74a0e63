import { AuthenticationError, type User } from '@roost-ai/sdk';
import { type QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { sessionKey } from '../api/query-client.js';
import { roost } from '../api/roost.js';

/** Who is signed in; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: async ({ signal }): Promise<User | null> => {
    try {
      return await roost.account.user({ signal });
    } catch (error) {
      if (error instanceof AuthenticationError) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

type Proof = Parameters<typeof roost.auth.beginSession>[0];

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (proof: Proof) => {
      await roost.auth.beginSession(proof);
      forgetOthers(client);
      return client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => roost.auth.endSession(),
    onSuccess: () => {
      client.setQueryData(sessionKey, null);
      forgetOthers(client);
    },
  });
}

/** Whatever was loaded may be somebody else's. */
function forgetOthers(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
}
