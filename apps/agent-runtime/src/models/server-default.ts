import { RoostError } from '#lib/contracts';
import { isModelOpen, type PlatformModels, type ProviderKeys } from './model-registry.js';
import { keptNames, NoList, openaiNames, someOf } from './provider-lists.js';

const MAX_REASON_CHARS = 100;
const HOW_TO_NAME = 'set ROOST_DEFAULT_MODEL=openai/<name>, or configuration.model of the agent';

/**
 * The default model where only OPENAI_BASE_URL is set: the one that the server lists. It is asked when a model is
 * needed, so a server that is started later is found.
 */
export class ServerDefault {
  private readonly names = keptNames(openaiNames);

  constructor(private readonly platform: PlatformModels) {}

  /**
   * The platform's models with this default, where a turn needs it. Errors: SERVICE_UNAVAILABLE (the server is away),
   * VALIDATION_ERROR (it lists none or several, or no list), both saying what to do.
   */
  async platformFor(name: string | undefined, agentKeys: ProviderKeys): Promise<PlatformModels> {
    if (!isModelOpen(name, agentKeys, this.platform)) return this.platform;
    const key = agentKeys.openai ?? this.platform.keys.openai;
    const names = await this.names({ ...this.platform, keys: key ? { openai: key } : {} }).catch((error: unknown) => {
      throw unknownList(error);
    });
    return { ...this.platform, defaultModel: `openai/${onlyOne(names)}` };
  }
}

/** Errors: VALIDATION_ERROR naming the models there are. */
export function onlyOne(names: string[]): string {
  const [first] = names;
  if (first !== undefined && names.length === 1) return first;
  if (first === undefined)
    throw cannotChoose(`the server at OPENAI_BASE_URL lists no model: give it one, or ${HOW_TO_NAME}`);
  throw cannotChoose(
    `the server at OPENAI_BASE_URL lists ${names.length} models (${someOf(names)}) and none is the default: ${HOW_TO_NAME}`,
  );
}

/** Errors of the list as what a turn, a list of models and the log say. */
export function unknownList(error: unknown): RoostError {
  if (error instanceof NoList)
    return cannotChoose(
      `the server at OPENAI_BASE_URL does not list its models (${error.message}): ${HOW_TO_NAME}, and OPENAI_API_KEY if it wants a key`,
    );
  return new RoostError(
    'SERVICE_UNAVAILABLE',
    `the server at OPENAI_BASE_URL does not answer (${reasonOf(error)}); it is asked again when a model is needed`,
  );
}

const cannotChoose = (message: string) =>
  new RoostError('VALIDATION_ERROR', message, [{ field: 'configuration.model', reason: 'required' }]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : error.message.slice(0, MAX_REASON_CHARS);
}
