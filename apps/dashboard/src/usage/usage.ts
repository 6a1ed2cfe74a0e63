import type { Roost, UsageQuery } from '@roost-ai/sdk';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { costText } from '../components/amounts.js';
import { OWN_ZONE } from '../components/time.js';
import { boundsOf, datesOf, type Period } from './period.js';

export type UsageReport = Awaited<ReturnType<Roost['usage']['report']>>;
export type UsageRow = UsageReport['rows'][number];
export const GROUPS = ['day', 'agent', 'model', 'source'] as const;
export type Group = (typeof GROUPS)[number];

const queryOf = (period: Period, group: Group): UsageQuery => ({
  group_by: group,
  ...boundsOf(datesOf(period, OWN_ZONE)),
  timezone: OWN_ZONE,
});

export const usageQuery = (period: Period, group: Group) =>
  queryOptions({
    queryKey: ['usage', group, queryOf(period, group)],
    queryFn: ({ signal }) => roost.usage.report(queryOf(period, group), { signal }),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });

/** The same as a table for spreadsheets. */
export const csvAddress = (period: Period, group: Group): string =>
  `/v1/usage?${new URLSearchParams({ ...queryOf(period, group), format: 'csv' }).toString()}`;

export const tokensOf = ({ input_tokens: input, output_tokens: output }: UsageReport['total']): number =>
  input + output;

/** Where the price of some calls is not known, what the others cost at least. */
export const knownCostText = (used: UsageReport['total']): string =>
  used.cost_usd === null && used.unpriced_steps < used.steps
    ? `at least ${costText(used.known_cost_usd)}`
    : costText(used.cost_usd);
