import type { AgentForTurn } from '#lib/contracts';
import type { PlatformModels } from '../models/model-registry.js';

/** Every value that a turn could show and must not: keys of models, the agent's environment, its servers' credentials. */
export function secretsOf({ providerKeys, configuration }: AgentForTurn, platform: PlatformModels): string[] {
  const servers = Object.values(configuration.mcpServers ?? {}).flatMap((server) =>
    Object.values(('command' in server ? server.env : server.headers) ?? {}),
  );
  return [
    ...Object.values(providerKeys),
    ...Object.values(platform.keys),
    ...Object.values(configuration.customEnv ?? {}),
    // `Bearer …`: the credential itself is the secret.
    ...servers.flatMap((value) => [value, ...value.split(/\s+/)]),
  ].filter((value) => value !== undefined);
}
