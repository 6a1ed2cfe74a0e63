import { RoostError } from '#lib/contracts';
import { chooseModel, type PlatformModels } from './model-registry.js';
import { anthropicNames, googleNames, keptNames, type ListNames, openaiNames, someOf } from './provider-lists.js';

/** Each agent that is made or changed has its models checked: providers are not asked for each. */
export const keptLists = () =>
  ({
    anthropic: keptNames(anthropicNames),
    openai: keptNames(openaiNames),
    google: keptNames(googleNames),
  }) satisfies Record<string, ListNames>;
/** What is asked for of Anthropic and Google in one page: a list of so many may have more. */
const WHOLE_BELOW = { anthropic: 100, openai: Number.POSITIVE_INFINITY, google: 200 };

/**
 * Why no turn could use a model of this name, for who sets it; undefined when one may. Where the provider's list is not
 * to be had (no key, no answer), nobody knows: the name is taken.
 */
export async function modelProblem(
  name: string,
  platform: PlatformModels,
  lists = keptLists(),
): Promise<string | undefined> {
  let chosen: ReturnType<typeof chooseModel>;
  try {
    chosen = chooseModel(name, {}, platform);
  } catch (error) {
    if (error instanceof RoostError) return error.message;
    throw error;
  }
  const { provider, modelId } = chosen;
  if (provider === 'demo') return undefined;
  const isOpen = provider === 'openai' && platform.openaiBaseUrl !== undefined;
  if (!platform.keys[provider] && !isOpen) return undefined;
  const listed = await lists[provider](platform).catch(() => []);
  if (listed.length === 0 || listed.length >= WHOLE_BELOW[provider]) return undefined;
  if (listed.some((known) => isMeant(modelId, known))) return undefined;
  return `${provider} does not list this model; it lists ${someOf(listed)}`;
}

/**
 * A name may be shorter than the one that is listed: Anthropic's aliases have no date, Ollama's names no `:latest`. It
 * may be longer: a router's variants (`:free`). A gateway that lists a pattern takes what it does not list.
 */
function isMeant(name: string, listed: string): boolean {
  if (name === listed || listed.includes('*') || listed === `${name}:latest`) return true;
  if (name.startsWith(`${listed}:`)) return true;
  return listed.startsWith(`${name.replace(/-(?:latest|0)$/, '')}-`) && name.startsWith('claude');
}
