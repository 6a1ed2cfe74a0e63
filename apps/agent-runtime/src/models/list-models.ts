import type { ModelEntry } from '#lib/contracts';
import { z } from 'zod';
import { type PlatformModels, resolveModel } from './model-registry.js';

type Entry = z.output<typeof ModelEntry>;

const TIMEOUT_MS = 4_000;
const KEPT_MS = 5 * 60_000;
const MAX_PER_PROVIDER = 200;

const OpenAiList = z.object({ data: z.array(z.object({ id: z.string() })) });
const GoogleList = z.object({
  models: z.array(z.object({ name: z.string(), supportedGenerationMethods: z.array(z.string()).optional() })),
});

/** What each configured provider says it has, asked at most every five minutes. */
export class ModelCatalogue {
  private kept: { at: number; value: { models: Entry[]; notes: string[] } } | undefined;

  constructor(private readonly platform: PlatformModels) {}

  async list(): Promise<{ models: Entry[]; notes: string[] }> {
    if (this.kept && Date.now() - this.kept.at < KEPT_MS) return this.kept.value;
    const notes: string[] = [];
    const ask = async (provider: string, isConfigured: boolean, names: () => Promise<string[]>): Promise<string[]> => {
      if (!isConfigured) return [];
      return names().then(
        (found) => found.slice(0, MAX_PER_PROVIDER).map((name) => `${provider}/${name}`),
        () => {
          notes.push(`${provider} did not tell its models; they can be used by name all the same`);
          return [];
        },
      );
    };
    const { keys, openaiBaseUrl } = this.platform;
    const found = await Promise.all([
      ask('anthropic', Boolean(keys.anthropic), () => this.anthropic()),
      ask('openai', Boolean(keys.openai ?? openaiBaseUrl), () => this.openai()),
      ask('google', Boolean(keys.google), () => this.google()),
    ]);
    const defaultId = this.defaultModel(notes);
    const ids = new Set([...(defaultId ? [defaultId] : []), ...found.flat(), 'demo']);
    const models = [...ids].map((id) => ({
      id,
      provider: id === 'demo' ? 'demo' : (id.split('/', 1)[0] ?? ''),
      name: id.slice(id.indexOf('/') + 1),
      isDefault: id === defaultId,
    }));
    // A provider that was away is asked again at the next call.
    if (notes.length === 0) this.kept = { at: Date.now(), value: { models, notes } };
    return { models, notes };
  }

  private defaultModel(notes: string[]): string | undefined {
    try {
      const { provider, modelId } = resolveModel(undefined, { keys: {} }, this.platform);
      return provider === 'demo' ? 'demo' : `${provider}/${modelId}`;
    } catch (error) {
      notes.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  private async anthropic(): Promise<string[]> {
    const base = (this.platform.anthropicBaseUrl ?? 'https://api.anthropic.com')
      .replace(/\/+$/, '')
      .replace(/\/v1$/, '');
    const list = await fetchJson(`${base}/v1/models?limit=100`, {
      'x-api-key': this.platform.keys.anthropic ?? '',
      'anthropic-version': '2023-06-01',
    });
    return OpenAiList.parse(list).data.map(({ id }) => id);
  }

  private async openai(): Promise<string[]> {
    const { keys, openaiBaseUrl = 'https://api.openai.com/v1' } = this.platform;
    const list = await fetchJson(
      `${openaiBaseUrl.replace(/\/+$/, '')}/models`,
      keys.openai ? { authorization: `Bearer ${keys.openai}` } : {},
    );
    return OpenAiList.parse(list).data.map(({ id }) => id);
  }

  private async google(): Promise<string[]> {
    const base = (this.platform.googleBaseUrl ?? 'https://generativelanguage.googleapis.com/v1beta').replace(
      /\/+$/,
      '',
    );
    const list = await fetchJson(`${base}/models?pageSize=200`, { 'x-goog-api-key': this.platform.keys.google ?? '' });
    return GoogleList.parse(list)
      .models.filter(({ supportedGenerationMethods: methods }) => !methods || methods.includes('generateContent'))
      .map(({ name }) => name.replace(/^models\//, ''));
  }
}

async function fetchJson(url: string, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}
