import { z } from 'zod';
import { request } from './request.js';
import { AccountId, Done, Timestamp, wire } from './wire.js';

/** Providers that take a key of their own (spec: runtime.md, "Models"). */
export const PROVIDERS = ['anthropic', 'openai', 'google'] as const;
export const Provider = z
  .enum(PROVIDERS)
  .meta({ id: 'Provider', description: 'A provider of models that takes a key.' });
export type Provider = z.output<typeof Provider>;

/** An account's key of one provider as it is shown: never the key. */
export const AccountProviderKey = wire({
  provider: Provider,
  apiKey: z.literal('***').describe('Never the key itself.'),
  createdAt: Timestamp.describe('When a key of this provider was first set.'),
  updatedAt: Timestamp.describe('When this key was set.'),
}).meta({ id: 'AccountProviderKey', description: 'That the account has a key of a provider.' });

/** The body of `POST /auth/provider_keys`. */
export const NewAccountProviderKey = wire({
  provider: Provider,
  apiKey: z
    .string()
    .min(1)
    .max(10_000)
    .meta({
      description:
        'The key, or `${vault.NAME}` for a secret of the vault, whose hosts the provider’s must be among. It is sealed and never shown again.',
      examples: ['sk-…'],
    }),
}).meta({ id: 'NewAccountProviderKey', description: 'A key of a model provider for all agents of the account.' });
export type NewAccountProviderKey = z.output<typeof NewAccountProviderKey>;

/** Keeps the account's key of a provider, in place of the one before. Agents without one of their own use it from their next turn. */
export const setAccountProviderKey = request('lifecycle.provider-key.set', {
  input: NewAccountProviderKey,
  output: AccountProviderKey,
});
export const listAccountProviderKeys = request('lifecycle.provider-key.list', {
  input: wire({}),
  output: wire({ providerKeys: z.array(AccountProviderKey).describe('One per provider that has a key.') }),
});
/** An account's keys in the clear, for agent-runtime alone. Errors: ACCESS_DENIED for a call on an account's behalf. */
export const openAccountProviderKeys = request('lifecycle.provider-key.open', {
  input: wire({ accountId: AccountId }),
  output: wire({ providerKeys: z.partialRecord(Provider, z.string()) }),
});
/** Errors: NOT_FOUND. */
export const deleteAccountProviderKey = request('lifecycle.provider-key.delete', {
  input: wire({ provider: Provider }),
  output: wire({ message: Done, provider: Provider }),
});
