import type { Environment } from '#lib/config';
import type { ServiceAccess } from './nats-trust.js';
import type { LocalSecrets } from './secrets.js';

export interface ServiceEnvironmentInput {
  /** What the user set: provider keys, feature switches. Ours win over it. */
  inherited: Environment;
  dataDir: string;
  databaseUrl: string;
  /** By service: the connection string of its own role; `databaseUrl` where there is none. */
  databaseUrls?: Record<string, string> | undefined;
  natsUrl: string;
  /** Absent with a NATS server of the user's, whose NATS_CREDS and NATS_ACCOUNT_SEED_FILE then come from `inherited`. */
  access?: ServiceAccess;
  secrets: LocalSecrets;
  /** Empty when there is none; the workspace driver then says so in the agent's state. */
  bubblewrapPath: string;
  host: string;
  port: number;
  /** Where the gateway answers, the public address until the user names another. */
  url: string;
  /** Whether each service is a process of its own. */
  isAlone: boolean;
  /** Where services log; absent: to the terminal. */
  logFile?: string;
}

/** A Roost that only this machine reaches has its owner's programs for neighbours; any other may be asked by strangers. */
const isThisMachine = (host: string) => ['127.0.0.1', '::1', 'localhost'].includes(host);

/**
 * What one service gets: its own bus credentials; the account's seed only where workspaces are made, the port only
 * where it is opened.
 */
export async function serviceEnvironment(input: ServiceEnvironmentInput, serviceName: string): Promise<Environment> {
  const { inherited, access, secrets } = input;
  const isGateway = serviceName === 'gateway';
  return {
    ...inherited,
    DATABASE_URL: input.databaseUrls?.[serviceName] ?? input.databaseUrl,
    NATS_URL: input.natsUrl,
    NATS_CREDS: access ? await access.credsFile(serviceName) : inherited.NATS_CREDS,
    NATS_ACCOUNT_SEED_FILE:
      serviceName === 'agent-lifecycle' ? (access?.accountSeedFile ?? inherited.NATS_ACCOUNT_SEED_FILE) : undefined,
    ROOST_DATA_DIR: input.dataDir,
    ROOST_MASTER_KEY_FILE: inherited.ROOST_MASTER_KEY_FILE ?? secrets.masterKeyFile,
    ROOST_PREVIOUS_MASTER_KEYS_FILE:
      inherited.ROOST_PREVIOUS_MASTER_KEYS_FILE ??
      (inherited.ROOST_MASTER_KEY_FILE ? undefined : secrets.previousMasterKeysFile),
    ROOST_LOCAL_API_KEY_FILE: isGateway ? secrets.apiKeyFile : undefined,
    ROOST_WEBHOOK_NETWORK: inherited.ROOST_WEBHOOK_NETWORK ?? (isThisMachine(input.host) ? 'local' : 'public'),
    ROOST_MCP_NETWORK: inherited.ROOST_MCP_NETWORK ?? (isThisMachine(input.host) ? 'local' : 'public'),
    ROOST_VAULT_NETWORK: inherited.ROOST_VAULT_NETWORK ?? (isThisMachine(input.host) ? 'local' : 'public'),
    ROOST_BWRAP: input.bubblewrapPath,
    ROOST_LOG_FILE: input.logFile,
    PUBLIC_URL: inherited.PUBLIC_URL ?? input.url,
    // One process serves the metrics of all; of several, the gateway has the port and the log names those of the others.
    ROOST_METRICS_PORT: isGateway
      ? inherited.ROOST_METRICS_PORT
      : input.isAlone && inherited.ROOST_METRICS_PORT !== undefined
        ? '0'
        : undefined,
    PORT: isGateway ? String(input.port) : undefined,
    HOST: isGateway ? input.host : undefined,
  };
}
