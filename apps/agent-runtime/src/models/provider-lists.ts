import { limitedBody, printable } from '#lib/bounded-streams';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PlatformModels } from './model-registry.js';

/** A list of a thousand models is some hundred kilobytes. */
const LIST_LIMITS = { maxBytes: 8 * 2 ** 20, maxLineBytes: 8 * 2 ** 20 };
/** A start and a turn wait for it. */
const TIMEOUT_MS = 4_000;

const OpenAiList = z.object({ data: z.array(z.object({ id: z.string() })) });
const GoogleList = z.object({
  models: z.array(z.object({ name: z.string(), supportedGenerationMethods: z.array(z.string()).optional() })),
});

/** A provider answered, and listed no models: it refuses the key, or has no such list. */
export class NoList extends Error {}

/** The names of a provider's models for the platform's key. Errors: NoList; others when it cannot be reached now. */
export type ListNames = (platform: PlatformModels) => Promise<string[]>;

export const anthropicNames: ListNames = async ({ keys, anthropicBaseUrl = 'https://api.anthropic.com' }) => {
  const base = anthropicBaseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
  const headers = { 'x-api-key': keys.anthropic ?? '', 'anthropic-version': '2023-06-01' };
  const { data } = await fetchList(OpenAiList, `${base}/v1/models?limit=100`, headers);
  return data.map(({ id }) => id);
};

export const openaiNames: ListNames = async ({ keys, openaiBaseUrl = 'https://api.openai.com/v1' }) => {
  const headers: Record<string, string> = keys.openai ? { authorization: `Bearer ${keys.openai}` } : {};
  const { data } = await fetchList(OpenAiList, `${openaiBaseUrl.replace(/\/+$/, '')}/models`, headers);
  return data.map(({ id }) => id);
};

export const googleNames: ListNames = async ({
  keys,
  googleBaseUrl = 'https://generativelanguage.googleapis.com/v1beta',
}) => {
  const base = googleBaseUrl.replace(/\/+$/, '');
  const { models } = await fetchList(GoogleList, `${base}/models?pageSize=200`, {
    'x-goog-api-key': keys.google ?? '',
  });
  return models
    .filter(({ supportedGenerationMethods: methods }) => !methods || methods.includes('generateContent'))
    .map(({ name }) => name.replace(/^models\//, ''));
};

/** Models come and go on a server of one's own, and nobody waits for a list more often than this. */
const KEPT_MS = 60_000;
const MAX_KEPT = 1_000;

/** The same list, asked for at most once a minute for the same key and address. What failed is asked for again. */
export function keptNames(names: ListNames): ListNames {
  const kept = new Map<string, { at: number; found: Promise<string[]> }>();
  return (platform) => {
    // Keys are not kept as text for longer than a call.
    const keptAs = createHash('sha256').update(JSON.stringify(platform)).digest('hex');
    const known = kept.get(keptAs);
    if (known && Date.now() - known.at < KEPT_MS) return known.found;
    const found = names(platform);
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(keptAs, { at: Date.now(), found });
    found.catch(() => kept.delete(keptAs));
    return found;
  };
}

const MAX_NAMED = 10;
const MAX_NAME_CHARS = 100;

/** Some of the names, for a message to people. */
export function someOf(names: string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => printable(name.slice(0, MAX_NAME_CHARS)));
  return `${shown.join(', ')}${names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : ''}`;
}

async function fetchList<S extends z.ZodType>(
  schema: S,
  url: string,
  headers: Record<string, string>,
): Promise<z.output<S>> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) {
    await response.body?.cancel();
    const words = `HTTP ${response.status}`;
    // Those pass by themselves: a server that starts or is overloaded.
    if (response.status >= 500 || response.status === 429) throw new Error(words);
    throw new NoList(words);
  }
  const body = response.body?.pipeThrough(limitedBody({ ...LIST_LIMITS, sender: 'the provider' }));
  const text = await new Response(body ?? null).text();
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) throw new NoList('its answer is no list of models');
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // refused by the schema
  }
}
