import { namedWithin } from '#lib/audit';
import {
  type AgentConfiguration,
  type CreateAgent,
  type ConfigurationPatch,
  type OwnBots,
  perPlatform,
  snakeCase,
  type UpdateAgent,
} from '#lib/contracts';
import { type AgentSecrets, botField, mapValues, type Provider, unmasked, unmaskedServer } from './agent-secrets.js';

type Keys = AgentSecrets['providerKeys'];

interface KeyChange {
  anthropicApiKey?: string | null | undefined;
  providerKeys?: Partial<Record<Provider, string | null>> | undefined;
}

/** Objects of fixed fields: a patch of one field leaves the others. */
export const MERGED = ['memoryConfig', 'compaction', 'hookMessages', 'webhooks', 'resources'] as const;

/** `undefined` means: not given. Null is a value. */
export function given<T>(value: T | undefined, before: T): T {
  return value === undefined ? before : value;
}

/** Names of the given fields as in the API; of the configuration, those inside it. */
export function changedFields({ configuration, files: _, note: __, ...fields }: UpdateAgent): string[] {
  const namesOf = (object: object) =>
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => snakeCase(name));
  return [...namesOf(fields), ...namesOf(configuration ?? {}).map((name) => `configuration.${name}`)];
}

/** As `changedFields`, with the names of the secrets and servers that were given. */
export function auditedFields(input: UpdateAgent | CreateAgent): string[] {
  return [
    ...changedFields(input as UpdateAgent),
    ...namedWithin('provider_keys', input.providerKeys),
    ...namedWithin('configuration.custom_env', input.configuration?.customEnv),
    ...namedWithin('configuration.mcp_servers', input.configuration?.mcpServers),
  ];
}

/** The configuration after a patch, by the rules of `ConfigurationPatch`; fields that are `whole` are not merged. */
export function mergeConfiguration(
  before: AgentConfiguration,
  patch: ConfigurationPatch,
  areWhole = false,
): AgentConfiguration {
  const after: Record<string, unknown> = { ...before };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete after[field];
    else if (value !== undefined) after[field] = value;
  }
  for (const field of MERGED) {
    const was = areWhole ? {} : (before[field] ?? {});
    if (patch[field]) after[field] = mergeFields(was, patch[field]);
  }
  if (patch.customEnv) after['customEnv'] = unmasked(patch.customEnv, before.customEnv);
  if (patch.mcpServers) {
    after['mcpServers'] = mapValues(patch.mcpServers, (server, name) =>
      unmaskedServer(server, before.mcpServers?.[name]),
    );
  }
  return after as AgentConfiguration;
}

function mergeFields(before: object, patch: object): object {
  const merged = Object.entries({ ...before, ...patch });
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined));
}

/** The keys after a change: null clears one. `anthropic_api_key` is the older name of `provider_keys.anthropic`. */
export function providerKeysAfter(before: Keys, { anthropicApiKey, providerKeys }: KeyChange): Keys {
  const changed: Partial<Record<Provider, string | null>> = {
    ...before,
    ...(anthropicApiKey === undefined ? {} : { anthropic: anthropicApiKey }),
    ...providerKeys,
  };
  return Object.fromEntries(Object.entries(changed).filter(([, key]) => key !== null)) as Keys;
}

/** The agent's bots after a change: what is not given stays, null takes one away. */
export function botsAfter(before: OwnBots, change: Pick<UpdateAgent, keyof OwnBots>): OwnBots {
  return perPlatform('BotToken', (platform) => {
    const field = botField(platform);
    return (change[field] === undefined ? before[field] : change[field]) ?? undefined;
  }) as OwnBots;
}
