import {
  type AgentConfiguration,
  AgentSettings,
  type McpServerConfig,
  type NotRestored,
  RoostError,
} from '#lib/contracts';
import type { AgentRow } from '../agents/agent-row.js';
import { type AgentSecrets, mapValues } from '../agents/agent-secrets.js';
import { type SecretVersions, secretValues } from './settings.js';
import type { WholeVersionRow } from './versions.repository.js';

interface Present {
  agent: Pick<AgentRow, 'pvc_size'>;
  secrets: AgentSecrets;
  versions: SecretVersions;
}

export interface Restored {
  settings: AgentSettings;
  notRestored: NotRestored[];
}

/**
 * An earlier version's settings with the secrets that the agent has now: no version holds a value. One that was replaced
 * since stays as it is, one that is gone is left out, and both are named. Keys of providers and bots stay in any case.
 * Errors: VALIDATION_ERROR for settings that this version of Roost does not take.
 */
export function restore(target: WholeVersionRow, { agent, secrets, versions }: Present): Restored {
  const parsed = AgentSettings.safeParse(target.settings);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? 'settings';
    throw new RoostError(
      'VALIDATION_ERROR',
      `version ${target.version} cannot be restored: its ${field} is not valid any more`,
    );
  }
  const values = secretValues(secrets);
  const lost = Object.entries(target.secrets)
    .filter(([field, setIn]) => versions[field] !== setIn || !values.has(field))
    .map(([field]): NotRestored => ({ field, reason: values.has(field) ? 'secret_changed' : 'secret_removed' }));
  if (parsed.data.pvcSize !== agent.pvc_size) lost.push({ field: 'pvc_size', reason: 'cannot_shrink' });
  const configuration = withSecrets(parsed.data.configuration, values);
  return { settings: { ...parsed.data, pvcSize: agent.pvc_size, configuration }, notRestored: lost };
}

/** With the values that there are, in place of `***`. */
function withSecrets(configuration: AgentConfiguration, values: Map<string, string>): AgentConfiguration {
  const { customEnv, mcpServers, ...open } = configuration;
  const filled = (prefix: string, masked: Record<string, string>) =>
    Object.fromEntries(
      Object.keys(masked).flatMap((name) => {
        const value = values.get(`${prefix}.${name}`);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  const server = (config: McpServerConfig, name: string): McpServerConfig => {
    const prefix = `configuration.mcp_servers.${name}`;
    if ('url' in config)
      return config.headers ? { ...config, headers: filled(`${prefix}.headers`, config.headers) } : config;
    return config.env ? { ...config, env: filled(`${prefix}.env`, config.env) } : config;
  };
  return {
    ...open,
    ...(customEnv ? { customEnv: filled('configuration.custom_env', customEnv) } : {}),
    ...(mcpServers ? { mcpServers: mapValues(mcpServers, server) } : {}),
  };
}
