import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment, secret } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';
import { TrustedIssuersSetting } from './accounts/issuers/issuer-settings.js';

export const gatewayConfigSchema = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  /** Seals the keys that sign tokens, and answers that are kept for Idempotency-Key. */
  ...sealingEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  NODE_ENV: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Addresses or ranges of proxies whose X-Forwarded-For is believed, comma separated: limits per address count the caller's. */
  ROOST_TRUSTED_PROXIES: z.string().default(''),
  /** The key of the local account, registered at start; its file is ROOST_LOCAL_API_KEY_FILE. */
  ROOST_LOCAL_API_KEY: secret(z.string().min(20)).optional(),
  /** Requests per minute and account. */
  ROOST_RATE_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).default(1_000),
  /** Requests per minute and address without a good key; an IPv6 address counts by its /64. */
  ROOST_ADDRESS_LIMIT_PER_MINUTE: z.coerce.number().int().min(1).default(600),
  /** Connections that one address may hold open at once, trusted proxies excepted; an IPv6 address counts by its /64. */
  ROOST_MAX_CONNECTIONS_PER_ADDRESS: z.coerce.number().int().min(1).default(4_000),
  /** Requests with `wait` that one account may have open at once in a process; all accounts together four times as many. */
  ROOST_ACCOUNT_WAITS: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** Uploads and downloads at once, likewise; bodies below 64 KiB do not count. */
  ROOST_ACCOUNT_TRANSFERS: z.coerce.number().int().min(1).max(100_000).default(100),
  /** JSON bodies over 1 MiB at once, likewise: each is in memory as a whole. */
  ROOST_ACCOUNT_LARGE_BODIES: z.coerce.number().int().min(1).max(10_000).default(8),
  /** A request whose head has not come within so many seconds, or whose body brings less than 1 KiB/s over them, is cut off. */
  ROOST_SLOW_REQUEST_SECONDS: z.coerce.number().int().min(1).max(3_600).default(20),
  /** Issuers whose tokens sign people in, as a JSON list (docs/authentication.md). */
  ROOST_TRUSTED_ISSUERS: TrustedIssuersSetting,
  /** `local`: their keys may be fetched from this machine and over plain HTTP. */
  ROOST_ISSUER_NETWORK: z.enum(['public', 'local']).default('public'),
  /** Address ranges of the operator's own network from which their keys may be fetched, comma separated. */
  ROOST_ISSUER_RANGES: z.string().default(''),
  /** Whether anybody may make an account. By default open, but closed in production without a mail server. */
  ROOST_REGISTRATION: z.enum(['open', 'closed']).optional(),
  /** Origins whose pages may call the API, comma separated; none by default. */
  ROOST_CORS_ORIGINS: z.string().default(''),
  /** smtp://user:password@host:587 or smtps://…; without it verification codes are in the log, in development only. */
  SMTP_URL: secret(z.url({ protocol: /^smtps?$/ })).optional(),
  ROOST_MAIL_FROM: z.string().default('Roost <roost@localhost>'),
  /** Where a user's browser comes back to after signing in with Google or GitHub: a page that calls `…/callback`. */
  ROOST_OAUTH_REDIRECT_URL: z.url({ protocol: /^https?$/ }).optional(),
  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: secret(z.string()).optional(),
  /** Any OpenID Connect issuer can stand in for Google. */
  GOOGLE_ISSUER_URL: z.url({ protocol: /^https?$/ }).default('https://accounts.google.com'),
  GITHUB_CLIENT_ID: z.string().optional(),
  GITHUB_CLIENT_SECRET: secret(z.string()).optional(),
  /** Of GitHub Enterprise, another host. */
  GITHUB_URL: z.url({ protocol: /^https?$/ }).default('https://github.com'),
  GITHUB_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.github.com'),
});
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;

/** spec: 00-overview, "Local default": in production nobody registers where no mail can be sent. */
export function isRegistrationOpen({ ROOST_REGISTRATION, NODE_ENV, SMTP_URL }: GatewayConfig): boolean {
  if (ROOST_REGISTRATION) return ROOST_REGISTRATION === 'open';
  return NODE_ENV !== 'production' || SMTP_URL !== undefined;
}
