import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV4 } from '@ai-sdk/provider';
import { RoostError } from '#lib/contracts';
import type { Tracer } from '#lib/tracing';
import { impatientFetch } from './impatient-fetch.js';
import { streamedFetch } from './streamed-fetch.js';
import { DemoModel } from './demo-model.js';

export const PROVIDERS = ['anthropic', 'openai', 'google', 'demo'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** The protocol by which a model is called: each takes requests of its own form. */
export type ModelWire = 'anthropic' | 'openai-chat' | 'openai-responses' | 'google' | 'demo';

/** Keys of an agent or its account, by provider. */
export type ProviderKeys = Partial<Record<'anthropic' | 'openai' | 'google', string>>;

/** The keys an agent comes with, and whose each is; its own where that is not given. */
export interface AgentKeys {
  keys: ProviderKeys;
  owners?: Partial<Record<keyof ProviderKeys, 'agent' | 'account'>> | undefined;
  /** Makes a fetch put in the secret that a key names (`${vault.anthropic}`). */
  withVault?: ((fetch: typeof globalThis.fetch) => typeof globalThis.fetch) | undefined;
}

/** What the platform's environment offers to all agents. */
export interface PlatformModels {
  keys: ProviderKeys;
  anthropicBaseUrl?: string | undefined;
  googleBaseUrl?: string | undefined;
  /** A server that speaks OpenAI's `/chat/completions`: Ollama, vLLM, LiteLLM, a gateway. */
  openaiBaseUrl?: string | undefined;
  defaultModel?: string | undefined;
  /** How long a provider may send nothing at all before its call is given up. */
  silenceMs?: number | undefined;
  /** About how long after a passing failure a call is made again. */
  retryMs?: number | undefined;
}

/** A model ready to be called. `keySource` is for error messages; the key itself stays inside the model. */
export interface ResolvedModel {
  model: LanguageModelV4;
  provider: ProviderName;
  modelId: string;
  wire: ModelWire;
  retryMs: number;
  keySource: 'agent' | 'account' | 'platform' | 'none';
  /** Of the spans of its calls. */
  tracer?: Tracer;
  /** Served by another than the provider itself, at a base URL: what it costs there is not published. */
  isElsewhere: boolean;
  /** Takes the key out of a text that the provider sent. */
  hideKey?(text: string): string;
}

/** What is shorter is a stand-in for servers that want no key, and would be found in plain words. */
const MIN_KEY_CHARS = 6;

/** Models that think before they answer may be silent for minutes. */
const SILENCE_MS = 300_000;
const RETRY_MS = 2_000;

/** Used when nothing names a model but a provider's key is there. */
const DEFAULTS = { anthropic: 'claude-sonnet-4-5', openai: 'gpt-5', google: 'gemini-2.5-pro' } as const;

/**
 * Finds the model for a name like `anthropic/claude-sonnet-4-5` or one without its provider, with the agent's key before the
 * platform's. Without a name: the platform's default, else the first provider that has a key, else the demo.
 * Errors: VALIDATION_ERROR saying what to set.
 */
export function resolveModel(
  name: string | undefined,
  { keys: agentKeys, owners = {}, withVault }: AgentKeys,
  platform: PlatformModels,
): ResolvedModel {
  const { provider, modelId } = chooseModel(name ?? platform.defaultModel, agentKeys, platform);
  const retryMs = platform.retryMs ?? RETRY_MS;
  if (provider === 'demo')
    return { model: new DemoModel(), provider, modelId, wire: 'demo', retryMs, keySource: 'none', isElsewhere: false };
  const key = agentKeys[provider] ?? platform.keys[provider];
  const keySource = agentKeys[provider] ? (owners[provider] ?? 'agent') : key ? 'platform' : 'none';
  if (!key && !(provider === 'openai' && platform.openaiBaseUrl)) {
    throw new RoostError(
      'VALIDATION_ERROR',
      `the model ${provider}/${modelId} needs a key: set the agent's provider_keys.${provider}, a key of the account, or the platform's ${provider.toUpperCase()}_API_KEY`,
      [{ field: 'configuration.model', reason: 'no_key' }],
    );
  }
  const wire = provider === 'openai' ? (platform.openaiBaseUrl ? 'openai-chat' : 'openai-responses') : provider;
  const hideKey = (text: string) => (key && key.length >= MIN_KEY_CHARS ? text.replaceAll(key, '***') : text);
  // What the operator set names no secret of an account.
  const fetchOf = agentKeys[provider] && withVault ? withVault : undefined;
  const model = connect(provider, modelId, key, platform, fetchOf);
  const isElsewhere =
    { anthropic: platform.anthropicBaseUrl, google: platform.googleBaseUrl, openai: platform.openaiBaseUrl }[
      provider
    ] !== undefined;
  return { model, provider, modelId, wire, retryMs, keySource, isElsewhere, hideKey };
}

/** Which provider a name means, whether it has a key or not. Errors: VALIDATION_ERROR when none is known. */
export function chooseModel(
  name: string | undefined,
  agentKeys: ProviderKeys,
  platform: PlatformModels,
): { provider: ProviderName; modelId: string } {
  if (!name) return firstUsable(agentKeys, platform);
  if (name === 'demo') return { provider: 'demo', modelId: 'demo' };
  const slash = name.indexOf('/');
  const prefix = PROVIDERS.find((provider) => provider === name.slice(0, Math.max(slash, 0)));
  if (prefix) return { provider: prefix, modelId: name.slice(slash + 1) };
  if (slash < 0 && name.startsWith('claude')) return { provider: 'anthropic', modelId: name };
  if (slash < 0 && name.startsWith('gemini')) return { provider: 'google', modelId: name };
  // A compatible server has names of its own, slashes included: `meta-llama/llama-3.1-8b`.
  if (platform.openaiBaseUrl || /^(gpt-|chatgpt|o\d)/.test(name)) return { provider: 'openai', modelId: name };
  throw new RoostError(
    'VALIDATION_ERROR',
    `no provider is known for the model ${name}: write it as anthropic/<name>, openai/<name> or google/<name>, or set OPENAI_BASE_URL`,
    [{ field: 'configuration.model', reason: 'unknown_model' }],
  );
}

/** Whether only the list of the server behind OPENAI_BASE_URL can say which model is meant. */
export function isModelOpen(name: string | undefined, agentKeys: ProviderKeys, platform: PlatformModels): boolean {
  if ((name ?? platform.defaultModel) !== undefined || platform.openaiBaseUrl === undefined) return false;
  return [agentKeys, platform.keys].every(({ anthropic, google }) => !anthropic && !google);
}

function firstUsable(agentKeys: ProviderKeys, platform: PlatformModels): { provider: ProviderName; modelId: string } {
  for (const keys of [agentKeys, platform.keys]) {
    for (const provider of ['anthropic', 'openai', 'google'] as const) {
      if (keys[provider] && !(provider === 'openai' && platform.openaiBaseUrl))
        return { provider, modelId: DEFAULTS[provider] };
    }
  }
  if (platform.openaiBaseUrl) {
    throw new RoostError(
      'VALIDATION_ERROR',
      'OPENAI_BASE_URL is set but no model is named: set ROOST_DEFAULT_MODEL=openai/<name> or the agent’s configuration.model',
      [{ field: 'configuration.model', reason: 'required' }],
    );
  }
  return { provider: 'demo', modelId: 'demo' };
}

function connect(
  provider: Exclude<ProviderName, 'demo'>,
  modelId: string,
  key: string | undefined,
  platform: PlatformModels,
  withVault: AgentKeys['withVault'],
): LanguageModelV4 {
  const impatient = impatientFetch(platform.silenceMs ?? SILENCE_MS);
  const isChat = provider === 'openai' && platform.openaiBaseUrl !== undefined;
  const fetch = streamedFetch(withVault ? withVault(impatient) : impatient, isChat);
  switch (provider) {
    case 'anthropic':
      return createAnthropic({
        apiKey: key ?? '',
        fetch,
        ...(platform.anthropicBaseUrl ? { baseURL: versioned(platform.anthropicBaseUrl) } : {}),
      })(modelId);
    case 'google':
      return createGoogle({
        apiKey: key ?? '',
        fetch,
        ...(platform.googleBaseUrl ? { baseURL: platform.googleBaseUrl } : {}),
      })(modelId);
    case 'openai':
      return platform.openaiBaseUrl
        ? createOpenAICompatible({
            name: 'openai-compatible',
            baseURL: platform.openaiBaseUrl,
            includeUsage: true,
            fetch,
            ...(key ? { apiKey: key } : {}),
          })(modelId)
        : createOpenAI({ apiKey: key ?? '', fetch })(modelId);
  }
}

/** ANTHROPIC_BASE_URL is written without the version by Anthropic's own tools, with it by the AI SDK. */
function versioned(baseUrl: string): string {
  const trimmed = baseUrl.replace(/\/+$/, '');
  return /\/v\d+$/.test(trimmed) ? trimmed : `${trimmed}/v1`;
}
