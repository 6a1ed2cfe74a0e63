import type { Provider } from './keys.js';

/** Those that take a key of their own, as people know them. */
export const PROVIDERS = Object.entries({
  anthropic: { label: 'Anthropic', placeholder: 'sk-ant-…' },
  openai: { label: 'OpenAI', placeholder: 'sk-…' },
  google: { label: 'Google', placeholder: 'AIza…' },
} satisfies Record<Provider, { label: string; placeholder: string }>) as [
  Provider,
  { label: string; placeholder: string },
][];
