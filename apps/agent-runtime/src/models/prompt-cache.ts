import type { ModelMessage, SystemModelMessage } from 'ai';
import type { ProviderName } from './model-registry.js';

const BREAKPOINT = { anthropic: { cacheControl: { type: 'ephemeral' as const } } };

/** Anthropic caches a prompt up to marked positions: after the tools and the system prompt, and at the end of the conversation so far. */
export function cachedSystem(provider: ProviderName, content: string): SystemModelMessage {
  return { role: 'system', content, ...(provider === 'anthropic' ? { providerOptions: BREAKPOINT } : {}) };
}

export function cachedMessages(provider: ProviderName, messages: ModelMessage[]): ModelMessage[] {
  const last = messages.at(-1);
  if (provider !== 'anthropic' || !last) return messages;
  return [...messages.slice(0, -1), { ...last, providerOptions: { ...last.providerOptions, ...BREAKPOINT } }];
}
