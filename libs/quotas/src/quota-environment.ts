import { QUOTA_NAMES, type QuotaName, QUOTAS, quantityBytes } from '#lib/contracts';
import { z } from 'zod';

type Variable = `ROOST_QUOTA_${Uppercase<QuotaName>}`;
export type QuotaEnvironment = Record<Variable, number>;

/** A count, or a quantity like 200Gi. */
export function readLimit(text: string): number | undefined {
  const limit = quantityBytes(text);
  return limit !== undefined && Number.isSafeInteger(limit) ? limit : undefined;
}

const limitSchema = (fallback: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((text, ctx) => {
      const limit = readLimit(text);
      if (limit !== undefined) return limit;
      ctx.addIssue({ code: 'custom', message: 'must be a count like 100, or a quantity like 200Gi', input: text });
      return z.NEVER;
    });

const variableOf = (name: QuotaName) => `ROOST_QUOTA_${name.toUpperCase()}` as Variable;

/** The limits for all accounts, one variable per quota. Every service that counts reads them, for when the gateway is away. */
export const quotaEnvironment = Object.fromEntries(
  QUOTA_NAMES.map((name) => [variableOf(name), limitSchema(QUOTAS[name].limit)]),
) as Record<Variable, ReturnType<typeof limitSchema>>;

export function limitsForAll(config: QuotaEnvironment): Record<QuotaName, number> {
  return Object.fromEntries(QUOTA_NAMES.map((name) => [name, config[variableOf(name)]])) as Record<QuotaName, number>;
}
