import type { Sealer } from '#lib/auth';
import {
  type AgentConfiguration,
  type ChatPlatform,
  type McpServerConfig,
  type OwnBots,
  PLATFORM_NAMES,
} from '#lib/contracts';
import type { AgentRow, OpenConfiguration } from './agent-row.js';

export type Provider = 'anthropic' | 'openai' | 'google';

/** Everything of an agent that is sealed in its row. */
export interface AgentSecrets extends OwnBots {
  providerKeys: Partial<Record<Provider, string>>;
  /** Both may hold tokens in their values. */
  customEnv?: Record<string, string> | undefined;
  mcpServers?: Record<string, McpServerConfig> | undefined;
}

export const MASK = '***';
const sealContext = (agentId: string) => `agents:${agentId}`;

export function openSecrets(sealer: Sealer, row: Pick<AgentRow, 'id' | 'secrets'>): AgentSecrets {
  return JSON.parse(sealer.open(row.secrets, sealContext(row.id))) as AgentSecrets;
}

/** The columns that follow from the secrets, so that they never disagree with what is shown of them. */
export function secretColumns(sealer: Sealer, agentId: string, secrets: AgentSecrets) {
  return {
    secrets: sealer.seal(JSON.stringify(secrets), sealContext(agentId)),
    bots: PLATFORM_NAMES.filter((platform) => secrets[botField(platform)] !== undefined),
    mcp_server_count: Object.keys(secrets.mcpServers ?? {}).length,
  };
}

export const botField = <P extends ChatPlatform>(platform: P) => `${platform}BotToken` as const;

/** The column that holds the secrets, for a change of the master key. */
export const sealedSecrets = { table: 'agents', column: 'secrets', id: 'id::text', context: 'agents' };

export function splitConfiguration(configuration: AgentConfiguration) {
  const { customEnv, mcpServers, ...open } = configuration;
  return { open, sealed: { customEnv, mcpServers } };
}

export function wholeConfiguration(open: OpenConfiguration, secrets: AgentSecrets): AgentConfiguration {
  return {
    ...open,
    ...(secrets.customEnv ? { customEnv: secrets.customEnv } : {}),
    ...(secrets.mcpServers ? { mcpServers: secrets.mcpServers } : {}),
  };
}

/** The configuration as it may be shown: values of environments and headers are `***`. */
export function maskedConfiguration(configuration: AgentConfiguration): AgentConfiguration {
  const { customEnv, mcpServers, ...open } = configuration;
  return {
    ...open,
    ...(customEnv ? { customEnv: masked(customEnv) } : {}),
    ...(mcpServers ? { mcpServers: mapValues(mcpServers, maskedServer) } : {}),
  };
}

/** What was read as `***` and is sent back means: as it was. */
export function unmasked(
  values: Record<string, string>,
  before: Record<string, string> | undefined,
): Record<string, string> {
  return mapValues(values, (value, name) => (value === MASK ? (before?.[name] ?? value) : value));
}

export function unmaskedServer(server: McpServerConfig, before: McpServerConfig | undefined): McpServerConfig {
  if ('url' in server) {
    const known = before && 'url' in before ? before.headers : undefined;
    return server.headers ? { ...server, headers: unmasked(server.headers, known) } : server;
  }
  const known = before && 'command' in before ? before.env : undefined;
  return server.env ? { ...server, env: unmasked(server.env, known) } : server;
}

function maskedServer(server: McpServerConfig): McpServerConfig {
  if ('url' in server) return server.headers ? { ...server, headers: masked(server.headers) } : server;
  return server.env ? { ...server, env: masked(server.env) } : server;
}

function masked(values: Record<string, string>): Record<string, string> {
  return mapValues(values, () => MASK);
}

export function mapValues<A, B>(record: Record<string, A>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
