import type { AgentConfiguration, ConfigurationPatch } from '#lib/contracts';
import { mapValues, unmasked, unmaskedServer } from './agent-secrets.js';

/** Objects of fixed fields: a patch of one field leaves the others. */
const MERGED = ['memoryConfig', 'compaction', 'hookMessages', 'webhooks', 'resources'] as const;

/** The configuration after a patch, by the rules of `ConfigurationPatch`. */
export function mergeConfiguration(before: AgentConfiguration, patch: ConfigurationPatch): AgentConfiguration {
  const after: Record<string, unknown> = { ...before };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete after[field];
    else if (value !== undefined) after[field] = value;
  }
  for (const field of MERGED) {
    if (patch[field] && before[field]) after[field] = { ...before[field], ...patch[field] };
  }
  if (patch.customEnv) after['customEnv'] = unmasked(patch.customEnv, before.customEnv);
  if (patch.mcpServers) {
    after['mcpServers'] = mapValues(patch.mcpServers, (server, name) =>
      unmaskedServer(server, before.mcpServers?.[name]),
    );
  }
  return after as AgentConfiguration;
}
