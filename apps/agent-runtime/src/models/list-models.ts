import type { ModelEntry } from '#lib/contracts';
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { keptLists, modelProblem } from './check-model.js';
import { isModelOpen, type PlatformModels, resolveModel } from './model-registry.js';
import { anthropicNames, googleNames, type ListNames, openaiNames } from './provider-lists.js';
import { onlyOne, unknownList } from './server-default.js';

type Entry = z.output<typeof ModelEntry>;

const KEPT_MS = 5 * 60_000;
const MAX_PER_PROVIDER = 200;
const MAX_KEPT = 1_000;

interface Listed {
  models: Entry[];
  notes: string[];
}

interface Kept extends Listed {
  /** Every provider listed its models. */
  isWhole: boolean;
}

/** What each provider says it has for the keys of the platform and of an account, asked at most every five minutes. */
export class ModelCatalogue {
  private readonly kept = new Map<string, { at: number; value: Kept }>();
  private readonly lists = keptLists();

  constructor(private readonly platform: PlatformModels) {}

  /** Never rejects. Asks a provider only where nothing but its list says which model is the default. */
  async platformDefault(): Promise<{ model?: string | undefined; problem?: string | undefined }> {
    const notes: string[] = [];
    const openai = isModelOpen(undefined, {}, this.platform)
      ? await askNames('openai', openaiNames, this.platform)
      : { ids: [] };
    const model = defaultModel(this.platform, openai, notes);
    return { model, problem: notes[0] };
  }

  /** An account's own key is used in place of the platform's. */
  async list(accountKeys: PlatformModels['keys']): Promise<Listed> {
    // Keys are not kept as text for longer than a call.
    const keptAs = createHash('sha256').update(JSON.stringify(accountKeys)).digest('hex');
    const kept = this.kept.get(keptAs);
    if (kept && Date.now() - kept.at < KEPT_MS) return shown(kept.value);
    const value = await listAll({ ...this.platform, keys: { ...this.platform.keys, ...accountKeys } });
    // A provider that was away is asked again at the next call.
    if (value.isWhole) {
      if (this.kept.size >= MAX_KEPT) this.kept.clear();
      this.kept.set(keptAs, { at: Date.now(), value });
    }
    return shown(value);
  }

  /** Why no turn of an account could use a model of this name; undefined when one may, or nobody knows. */
  problemOf(model: string, keys: PlatformModels['keys']): Promise<string | undefined> {
    return modelProblem(model, { ...this.platform, keys: { ...this.platform.keys, ...keys } }, this.lists);
  }
}

const shown = ({ models, notes }: Kept): Listed => ({ models, notes });

async function listAll(platform: PlatformModels): Promise<Kept> {
  const { keys, openaiBaseUrl } = platform;
  const notes: string[] = [];
  const ask = (provider: string, isConfigured: boolean, names: ListNames): Promise<Asked> | Asked =>
    isConfigured ? askNames(provider, names, platform) : { ids: [] };
  const [anthropic, openai, google] = await Promise.all([
    ask('anthropic', Boolean(keys.anthropic), anthropicNames),
    ask('openai', Boolean(keys.openai ?? openaiBaseUrl), openaiNames),
    ask('google', Boolean(keys.google), googleNames),
  ]);
  for (const [provider, { error }] of Object.entries({ anthropic, openai, google }))
    if (error !== undefined) notes.push(`${provider} did not list its models; they can be used by name all the same`);
  const defaultId = defaultModel(platform, openai, notes);
  const found = [anthropic, openai, google].map(({ ids }) => ids);
  const ids = new Set([...(defaultId ? [defaultId] : []), ...found.flat(), 'demo']);
  const models = [...ids].map((id) => ({
    id,
    provider: id === 'demo' ? 'demo' : (id.split('/', 1)[0] ?? ''),
    name: id.slice(id.indexOf('/') + 1),
    isDefault: id === defaultId,
  }));
  const isWhole = [anthropic, openai, google].every(({ error }) => error === undefined);
  return { models, notes, isWhole };
}

interface Asked {
  names?: string[];
  error?: unknown;
  ids: string[];
}

async function askNames(provider: string, names: ListNames, platform: PlatformModels): Promise<Asked> {
  try {
    const found = await names(platform);
    return { names: found, ids: found.slice(0, MAX_PER_PROVIDER).map((name) => `${provider}/${name}`) };
  } catch (error) {
    return { error, ids: [] };
  }
}

function defaultModel(platform: PlatformModels, openai: Asked, notes: string[]): string | undefined {
  try {
    if (isModelOpen(undefined, {}, platform)) {
      if (!openai.names) throw unknownList(openai.error);
      return `openai/${onlyOne(openai.names)}`;
    }
    const { provider, modelId } = resolveModel(undefined, { keys: {} }, platform);
    return provider === 'demo' ? 'demo' : `${provider}/${modelId}`;
  } catch (error) {
    notes.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
