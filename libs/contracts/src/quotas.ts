import { z } from 'zod';
import { request } from './request.js';
import { AccountId, wire } from './wire.js';

interface QuotaDefinition {
  /** Unless the operator sets another, for all accounts by `ROOST_QUOTA_<NAME>` or for one account. */
  limit: number;
  /** What is counted, in the plural. */
  what: string;
  /** What an account can do to stay within it. */
  remedy: string;
}

/**
 * Everything an account can pile up, with defaults for a laptop: none of these alone fills its disk or memory.
 * Documented in docs/limits.md.
 */
export const QUOTAS = {
  agents: { limit: 200, what: 'agents', remedy: 'delete an agent' },
  stored_bytes: {
    limit: 200 * 2 ** 30,
    what: 'bytes of volumes (the pvc_size of all agents)',
    remedy: 'delete an agent or ask for a smaller pvc_size',
  },
  messages_waiting: {
    limit: 100_000,
    what: 'messages that wait for their turn',
    remedy: 'wait until some are answered, or resume the agents that are paused',
  },
  awake_workspaces: {
    limit: 50,
    what: 'workspaces awake at once',
    remedy: 'wait until one of them is idle, or stop an agent',
  },
  schedules: { limit: 1_000, what: 'schedules', remedy: 'delete a schedule' },
  triggers: { limit: 1_000, what: 'triggers', remedy: 'delete a trigger' },
  webhook_endpoints: { limit: 100, what: 'webhook endpoints', remedy: 'delete an endpoint' },
  mcp_servers: { limit: 100, what: 'MCP servers', remedy: 'delete a server' },
  channel_bindings: { limit: 1_000, what: 'linked chat users', remedy: 'unlink some from their agents' },
  api_keys: { limit: 100, what: 'API keys', remedy: 'revoke a key' },
  provider_keys: { limit: 10, what: 'provider keys', remedy: 'delete a key' },
  vault_secrets: { limit: 200, what: 'secrets in the vault', remedy: 'delete a secret' },
  vault_grants: { limit: 2_000, what: 'grants of secrets to agents', remedy: 'revoke a grant' },
  event_streams: { limit: 200, what: 'event streams open at once', remedy: 'close a stream' },
} as const satisfies Record<string, QuotaDefinition>;

export type QuotaName = keyof typeof QUOTAS;
export const QUOTA_NAMES = Object.keys(QUOTAS) as QuotaName[];
export const QuotaName = z.enum(QUOTA_NAMES).meta({ id: 'QuotaName', description: 'What is counted.' });

/** By a quota's name. A record of any text: a service of another version may know others. */
const amounts = z.record(z.string(), z.number().int().min(0));
export type QuotaAmounts = Partial<Record<QuotaName, number>>;

/** The account's limits: its own where the operator gave it some, else those for all. Asked by services. */
export const quotaLimits = request('gateway.quota.limits', {
  input: wire({ accountId: AccountId }),
  output: wire({ limits: amounts }),
  timeoutMs: 2_000,
});

/** What of its quotas the calling account uses. One per service that owns something countable, by its subjects' token. */
export const quotaUse = (service: string) =>
  request(`${service}.quota.use`, {
    input: wire({}),
    output: wire({ used: amounts }),
    timeoutMs: 2_000,
  });
/** First tokens of the subjects of the services that count. */
export const QUOTA_COUNTERS = ['lifecycle', 'messaging', 'scheduler', 'webhooks', 'runtime', 'channels'] as const;

export const AccountQuota = wire({
  name: QuotaName,
  limit: z.number().int().min(0).describe('The most that the account may have. `stored_bytes` is in bytes.'),
  used: z
    .number()
    .int()
    .min(0)
    .nullable()
    .describe('What it has; null while the service that counts it does not answer.'),
}).meta({ id: 'AccountQuota', description: 'A quota with its limit and use.' });
export type AccountQuota = z.output<typeof AccountQuota>;

const who = z.string().min(1).max(254);
/** For the operator. Errors: NOT_FOUND. */
export const getAccountQuotas = request('gateway.account.quotas', {
  input: wire({ account: who }),
  output: wire({ quotas: z.array(AccountQuota) }),
});
/** Null takes the account's own limit away: the one for all counts again. Errors: NOT_FOUND. */
export const setAccountQuota = request('gateway.account.set-quota', {
  input: wire({ account: who, quota: QuotaName, limit: z.number().int().min(0).nullable() }),
  output: wire({ quotas: z.array(AccountQuota) }),
});
