import { AgentSettings, encode, PLATFORM_NAMES } from '#lib/contracts';
import type { AgentRow } from '../agents/agent-row.js';
import { type AgentSecrets, botField, maskedConfiguration, wholeConfiguration } from '../agents/agent-secrets.js';

/** All that is configured of an agent, in the API's form and with secrets as `***`. */
export type Settings = Record<string, unknown>;
/** By the name of its field, the version in which a secret's value was set. */
export type SecretVersions = Record<string, number>;

/** With the values of secrets. */
export function wholeSettings(row: AgentRow, secrets: AgentSecrets): AgentSettings {
  return {
    name: row.name,
    description: row.description,
    pvcSize: row.pvc_size,
    sessionMode: row.session_mode,
    warmthWindowMs: row.warmth_window_ms,
    systemPrompt: row.system_prompt,
    systemPromptType: row.system_prompt_type,
    configuration: wholeConfiguration(row.configuration, secrets),
  };
}

export const settingsOf = (row: AgentRow, secrets: AgentSecrets): Settings =>
  shownSettings(wholeSettings(row, secrets));

/** Settings in the API's form, their secrets as `***`. */
export function shownSettings(settings: AgentSettings): Settings {
  const configuration = maskedConfiguration(settings.configuration);
  return JSON.parse(JSON.stringify(encode(AgentSettings, { ...settings, configuration }))) as Settings;
}

/** The values of an agent's secrets by the names of their fields. */
export function secretValues(secrets: AgentSecrets): Map<string, string> {
  const values = new Map<string, string>();
  const add = (prefix: string, from: Record<string, string> = {}) => {
    for (const [name, value] of Object.entries(from)) values.set(`${prefix}.${name}`, value);
  };
  add('provider_keys', secrets.providerKeys as Record<string, string>);
  add('configuration.custom_env', secrets.customEnv);
  for (const [name, server] of Object.entries(secrets.mcpServers ?? {})) {
    if ('url' in server) add(`configuration.mcp_servers.${name}.headers`, server.headers);
    else add(`configuration.mcp_servers.${name}.env`, server.env);
  }
  for (const platform of PLATFORM_NAMES) {
    const token = secrets[botField(platform)];
    if (token !== undefined)
      values.set(`${platform}_bot_token`, typeof token === 'string' ? token : JSON.stringify(token));
  }
  return values;
}

/** In which versions the secrets of `after` were set, where `version` is the one that is being made. */
export function secretVersionsAfter(
  before: { values: Map<string, string>; versions: SecretVersions },
  after: Map<string, string>,
  version: number,
): SecretVersions {
  return Object.fromEntries(
    [...after].map(([field, value]) => [
      field,
      before.values.get(field) === value ? (before.versions[field] ?? version) : version,
    ]),
  );
}
