import { z } from 'zod';
import { secret } from './load-config.js';
import { traceEnvironment } from './trace-environment.js';

/** What every service needs to reach the bus and to be watched. */
export const busEnvironment = {
  ROOST_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NATS_URL: z.string().default('nats://127.0.0.1:4222'),
  /** Content of a .creds file, or the path of one; empty for a server without authentication. */
  NATS_CREDS: secret(z.string()).optional(),
  HOST: z.string().default('127.0.0.1'),
  /** Where `/metrics` and the probes' paths are served, on HOST; 0 takes a free port, which the log names; unset serves none. */
  ROOST_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  ...traceEnvironment,
};

/** What every service with rows of its own needs. */
export const databaseEnvironment = {
  DATABASE_URL: secret(z.string()).default('postgres://postgres@127.0.0.1:5432/postgres'),
  /** So long audit records are kept; the database refuses to delete them sooner than 30 days. */
  ROOST_AUDIT_RETENTION_DAYS: z.coerce.number().int().min(30).max(36_500).default(365),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(200).default(10),
};
