import type { AgentSecrets, Provider } from './agent-secrets.js';

type Keys = AgentSecrets['providerKeys'];

interface KeyChange {
  anthropicApiKey?: string | null | undefined;
  providerKeys?: Partial<Record<Provider, string | null>> | undefined;
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
