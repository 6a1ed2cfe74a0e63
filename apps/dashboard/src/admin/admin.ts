import { queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';

export const accountsKey = ['admin', 'accounts'] as const;

export const accountQuery = (accountId: string) =>
  queryOptions({
    queryKey: [...accountsKey, accountId],
    queryFn: ({ signal }) => roost.admin.accounts.get(accountId, { signal }),
  });

export const accountQuotasQuery = (accountId: string) =>
  queryOptions({
    queryKey: [...accountsKey, accountId, 'quotas'],
    queryFn: ({ signal }) => roost.admin.accounts.quotas(accountId, { signal }),
    refetchInterval: 15_000,
  });

export const servicesQuery = queryOptions({
  queryKey: ['admin', 'services'],
  queryFn: ({ signal }) => roost.admin.services({ signal }),
  refetchInterval: 5_000,
});

/** What an account is called: its people, or its name. */
export const accountTitle = ({ emails, name }: { emails: string[]; name: string }): string =>
  emails.length > 0 ? emails.join(', ') : name;
