import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment } from '#lib/config';
import { z } from 'zod';

export const schedulerConfigSchema = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  ...sealingEnvironment,
  /** Expressions that fire more often are refused. */
  SCHEDULE_MIN_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(60),
  SCHEDULES_PER_ACCOUNT: z.coerce.number().int().min(1).default(10_000),
  TRIGGERS_PER_ACCOUNT: z.coerce.number().int().min(1).default(10_000),
  /** Base of `webhook_url`; where the gateway is reached from outside. */
  PUBLIC_URL: z.string().default('http://127.0.0.1:3000'),
});
export type SchedulerConfig = z.output<typeof schedulerConfigSchema>;
