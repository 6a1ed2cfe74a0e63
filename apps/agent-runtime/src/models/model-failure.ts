import { APICallError, InvalidPromptError, RetryError } from 'ai';
import { RoostError } from '#lib/contracts';
import type { ResolvedModel } from './model-registry.js';

/** Why a model call came to nothing, and what is to be done about it. */
export interface ModelFailure {
  code:
    | 'MODEL_KEY_REFUSED'
    | 'MODEL_NOT_FOUND'
    | 'MODEL_REFUSED_REQUEST'
    | 'MODEL_CONTEXT_TOO_LONG'
    | 'MODEL_OVERLOADED'
    | 'MODEL_UNREACHABLE'
    | 'INTERNAL';
  /** Shown to the user: what to do, and never the key. */
  message: string;
  retryable: boolean;
}

const CONTEXT_TOO_LONG =
  /context.{0,20}(length|window)|prompt is too long|too many tokens|maximum.{0,20}tokens|input.{0,20}too long/i;

/** Google answers a wrong key with 400. */
const KEY_NOT_VALID = /API_KEY_INVALID|API key not valid|API key expired/i;

/** Tells a provider's errors apart: which can pass by themselves, which need a person, which need a shorter context. */
export function modelFailure(
  error: unknown,
  { provider, modelId, keySource }: Pick<ResolvedModel, 'provider' | 'modelId' | 'keySource'>,
): ModelFailure {
  if (RetryError.isInstance(error)) return modelFailure(error.lastError, { provider, modelId, keySource });
  if (error instanceof RoostError)
    return { code: 'INTERNAL', message: error.message, retryable: error.code === 'SERVICE_UNAVAILABLE' };
  if (InvalidPromptError.isInstance(error))
    return {
      code: 'INTERNAL',
      message: 'the context could not be put into the form that the model takes',
      retryable: false,
    };
  if (APICallError.isInstance(error)) return apiFailure(error, provider, modelId, keySource);
  // Whatever is left broke on the way: a cut stream, a name that does not resolve, a reset connection.
  return {
    code: 'MODEL_UNREACHABLE',
    message: `the connection to ${provider} broke; the turn is tried again`,
    retryable: true,
  };
}

function apiFailure(
  error: APICallError,
  provider: string,
  modelId: string,
  keySource: ResolvedModel['keySource'],
): ModelFailure {
  const status = error.statusCode;
  const said = `${error.message} ${error.responseBody ?? ''}`;
  if (status === undefined)
    return { code: 'MODEL_UNREACHABLE', message: `${provider} could not be reached`, retryable: true };
  if (status === 401 || status === 403 || (status === 400 && KEY_NOT_VALID.test(said))) {
    const key =
      keySource === 'agent' || keySource === 'account'
        ? `the ${keySource}'s ${provider} key`
        : keySource === 'platform'
          ? `the platform's ${provider} key (${provider.toUpperCase()}_API_KEY)`
          : `${provider} (no key is set)`;
    return { code: 'MODEL_KEY_REFUSED', message: `${provider} refused ${key}: set a valid key`, retryable: false };
  }
  if (status === 413 || (status === 400 && CONTEXT_TOO_LONG.test(said))) {
    return { code: 'MODEL_CONTEXT_TOO_LONG', message: `the conversation is too long for ${modelId}`, retryable: false };
  }
  if (status === 404)
    return {
      code: 'MODEL_NOT_FOUND',
      message: `${provider} has no model ${modelId}: check configuration.model`,
      retryable: false,
    };
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    return {
      code: 'MODEL_OVERLOADED',
      message: `${provider} is overloaded or limits the rate (HTTP ${status})`,
      retryable: true,
    };
  }
  return {
    code: 'MODEL_REFUSED_REQUEST',
    message: `${provider} refused the request (HTTP ${status}): ${error.message.slice(0, 300)}`,
    retryable: false,
  };
}
