import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';

export const Config = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  ...sealingEnvironment,
  /** `local` lets receivers be on this machine and speak plain HTTP: for one's own machine, not for servers. */
  ROOST_WEBHOOK_NETWORK: z.enum(['public', 'local']).default('public'),
  /** Requests that one process has open to one endpoint at a time. */
  ROOST_WEBHOOK_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(10),
  /** Requests that one process has open for one account at a time; unset: for 20 endpoints. */
  ROOST_ACCOUNT_WEBHOOK_CONCURRENCY: z.coerce.number().int().min(1).max(20_000).optional(),
});
export type Config = z.output<typeof Config>;

/** Injection token of the address guard's policy (`GuardPolicy`) for receivers. */
export const POLICY = Symbol('roost:webhook-policy');
