import { busEnvironment, databaseEnvironment } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';

export const messagingConfig = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  /** How long a worker may be silent before its turn is given to another. */
  ROOST_LEASE_MS: z.coerce.number().int().min(300).max(600_000).default(30_000),
  /** Wait before the second try of a turn; doubled at each further one. */
  ROOST_RETRY_BASE_MS: z.coerce.number().int().min(1).max(60_000).default(1_000),
  /** How long runs can be looked at after they ended. agent-runtime keeps their steps as long. */
  ROOST_RUN_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
});
export type MessagingConfig = z.output<typeof messagingConfig>;
