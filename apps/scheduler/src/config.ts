import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';

export const schedulerConfigSchema = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  ...sealingEnvironment,
  /** Expressions that fire more often are refused. */
  SCHEDULE_MIN_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(60),
  /** Base of `webhook_url`; where the gateway is reached from outside. */
  PUBLIC_URL: z.string().default('http://127.0.0.1:3000'),
});
export type SchedulerConfig = z.output<typeof schedulerConfigSchema>;
