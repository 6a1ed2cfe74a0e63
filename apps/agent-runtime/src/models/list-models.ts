import { limitedBody } from '#lib/bounded-streams';
import type { ModelEntry } from '#lib/contracts';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type PlatformModels, resolveModel } from './model-registry.js';

type Entry = z.output<typeof ModelEntry>;

/** A list of a thousand models is some hundred kilobytes. */
const LIST_LIMITS = { maxBytes: 8 * 2 ** 20, maxLineBytes: 8 * 2 ** 20 };
const TIMEOUT_MS = 4_000;
const KEPT_MS = 5 * 60_000;
const MAX_PER_PROVIDER = 200;
const MAX_KEPT = 1_000;

const OpenAiList = z.object({ data: z.array(z.object({ id: z.string() })) });
const GoogleList = z.object({
  models: z.array(z.object({ name: z.string(), supportedGenerationMethods: z.array(z.string()).optional() })),
});

interface Listed {
  models: Entry[];
  notes: string[];
}

/** What each provider says it has for the keys of the platform and of an account, asked at most every five minutes. */
export class ModelCatalogue {
  private readonly kept = new Map<string, { at: number; value: Listed }>();

  constructor(private readonly platform: PlatformModels) {}

  /** An account's own key is used in place of the platform's. */
  async list(accountKeys: PlatformModels['keys']): Promise<Listed> {
    // Keys are not kept as text for longer than a call.
    const keptAs = createHash('sha256').update(JSON.stringify(accountKeys)).digest('hex');
    const kept = this.kept.get(keptAs);
    if (kept && Date.now() - kept.at < KEPT_MS) return kept.value;
    const value = await listAll({ ...this.platform, keys: { ...this.platform.keys, ...accountKeys } });
    // A provider that was away is asked again at the next call.
    if (value.notes.length === 0) {
      if (this.kept.size >= MAX_KEPT) this.kept.clear();
      this.kept.set(keptAs, { at: Date.now(), value });
    }
    return value;
  }
}

async function listAll(platform: PlatformModels): Promise<Listed> {
  const { keys, openaiBaseUrl } = platform;
  const notes: string[] = [];
  const ask = async (provider: string, isConfigured: boolean, names: Names): Promise<string[]> => {
    if (!isConfigured) return [];
    return names(platform).then(
      (found) => found.slice(0, MAX_PER_PROVIDER).map((name) => `${provider}/${name}`),
      () => {
        notes.push(`${provider} did not tell its models; they can be used by name all the same`);
        return [];
      },
    );
  };
  const found = await Promise.all([
    ask('anthropic', Boolean(keys.anthropic), anthropicNames),
    ask('openai', Boolean(keys.openai ?? openaiBaseUrl), openaiNames),
    ask('google', Boolean(keys.google), googleNames),
  ]);
  const defaultId = defaultModel(platform, notes);
  const ids = new Set([...(defaultId ? [defaultId] : []), ...found.flat(), 'demo']);
  const models = [...ids].map((id) => ({
    id,
    provider: id === 'demo' ? 'demo' : (id.split('/', 1)[0] ?? ''),
    name: id.slice(id.indexOf('/') + 1),
    isDefault: id === defaultId,
  }));
  return { models, notes };
}

function defaultModel(platform: PlatformModels, notes: string[]): string | undefined {
  try {
    const { provider, modelId } = resolveModel(undefined, { keys: {} }, platform);
    return provider === 'demo' ? 'demo' : `${provider}/${modelId}`;
  } catch (error) {
    notes.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

type Names = (platform: PlatformModels) => Promise<string[]>;

const anthropicNames: Names = async ({ keys, anthropicBaseUrl = 'https://api.anthropic.com' }) => {
  const base = anthropicBaseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
  const list = await fetchJson(`${base}/v1/models?limit=100`, {
    'x-api-key': keys.anthropic ?? '',
    'anthropic-version': '2023-06-01',
  });
  return OpenAiList.parse(list).data.map(({ id }) => id);
};

const openaiNames: Names = async ({ keys, openaiBaseUrl = 'https://api.openai.com/v1' }) => {
  const list = await fetchJson(
    `${openaiBaseUrl.replace(/\/+$/, '')}/models`,
    keys.openai ? { authorization: `Bearer ${keys.openai}` } : {},
  );
  return OpenAiList.parse(list).data.map(({ id }) => id);
};

const googleNames: Names = async ({ keys, googleBaseUrl = 'https://generativelanguage.googleapis.com/v1beta' }) => {
  const base = googleBaseUrl.replace(/\/+$/, '');
  const list = await fetchJson(`${base}/models?pageSize=200`, { 'x-goog-api-key': keys.google ?? '' });
  return GoogleList.parse(list)
    .models.filter(({ supportedGenerationMethods: methods }) => !methods || methods.includes('generateContent'))
    .map(({ name }) => name.replace(/^models\//, ''));
};

async function fetchJson(url: string, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const body = response.body?.pipeThrough(limitedBody({ ...LIST_LIMITS, sender: 'the provider' }));
  return new Response(body ?? null).json();
}
