import { busEnvironment, databaseEnvironment } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';
import { platformEnvironment } from './adapters/index.js';

export const Config = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  ...platformEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  /** Where the gateway is reached from outside; with https, platforms that can post updates there do. */
  PUBLIC_URL: z.url().optional(),
});
export type Config = z.output<typeof Config>;
