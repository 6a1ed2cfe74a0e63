import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';

export const apiKeysQuery = queryOptions({
  queryKey: ['settings', 'api-keys'],
  queryFn: async ({ signal }) => (await roost.account.keys.list({ signal })).platform_keys,
  refetchInterval: 30_000,
});
export type ApiKey = Awaited<ReturnType<typeof roost.account.keys.list>>['platform_keys'][number];

export const providerKeysQuery = queryOptions({
  queryKey: ['settings', 'provider-keys'],
  queryFn: async ({ signal }) => (await roost.account.providerKeys.list({ signal })).provider_keys,
});
export type Provider = Parameters<typeof roost.account.providerKeys.set>[0]['provider'];

export const quotasQuery = queryOptions({
  queryKey: ['settings', 'quotas'],
  queryFn: ({ signal }) => roost.account.quotas({ signal }),
  refetchInterval: 15_000,
});
