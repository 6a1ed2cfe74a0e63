import { InvalidPromptError, RetryError } from 'ai';
import { RoostError } from '#lib/contracts';
import type { ResolvedModel } from './model-registry.js';
import { type ProviderError, providerErrorOf } from './provider-error.js';
import { providerMessage } from './provider-message.js';
import { BrokenStream } from './collect-answer.js';
import { UnusableAnswer } from './unusable-answer.js';

/** Why a model call came to nothing, and what is to be done about it. */
export interface ModelFailure {
  code:
    | 'MODEL_KEY_REFUSED'
    | 'MODEL_BILLING'
    | 'MODEL_NOT_FOUND'
    | 'MODEL_REFUSED_REQUEST'
    | 'MODEL_CONTEXT_TOO_LONG'
    | 'MODEL_OVERLOADED'
    | 'MODEL_FAILED'
    | 'MODEL_UNREACHABLE'
    | 'INTERNAL';
  /** Shown to the user: what to do, and never the key. */
  message: string;
  retryable: boolean;
  /** How long the provider asks to be left alone, where it says so. */
  retryAfterMs?: number;
}

type Model = Pick<ResolvedModel, 'provider' | 'modelId' | 'keySource' | 'hideKey'>;

/** A call of another model than the turn's own, such as the one that summarises: what failed is told of its provider. */
export class OtherModelFailed extends Error {
  constructor(
    override readonly cause: unknown,
    readonly model: Model,
  ) {
    super('the call of another model than the turn’s own failed');
  }
}

/** What is said of the conversation as a whole, not of a file in it. */
const SENT = String.raw`(?<!(?:image|audio|video|file) )\b(prompt|inputs?|messages?)\b(?:(?!image|picture|audio|video|file)[\w ()]){0,40}`;

/** Each provider says it in words of its own: of the context, of a number of tokens, or of what was sent. */
const CONTEXT_TOO_LONG = new RegExp(
  [
    'context.{0,20}(length|window|limit|size)',
    'maximum.{0,20}tokens|max tokens allowed|model token limit|too many tokens|must have less than \\d+ tokens',
    'tokens.{0,5}\\+.{0,5}max_new_tokens|maximum prompt length|input length should be',
    `${SENT}(too long|longer than|supports up to)`,
    // A picture's limit has two sides.
    `${SENT}exceeds? (the )?(max|limit)(?! ?\\d+ ?x ?\\d)`,
  ].join('|'),
  'i',
);
/** A limit of how much may be sent in a time, or of the answer, which is no limit of a context. */
const OF_OTHER = /rate.?limit|per (min|hour|day)|maximum (value for|tokens value)|at most \d+ \w+ tokens/i;
/** More tokens at once than the account may send in a minute: waiting does not help. */
const ABOVE_RATE = /tokens.{0,40}\blimit:? ([\d,]+).{0,40}\brequested:? ([\d,]+)/is;

/** The template by which a server puts a conversation into its model's words fails at it: llama.cpp and LM Studio make a 500 of it. */
const TEMPLATE_REFUSED = /jinja|chat.?template|roles must alternate/i;

/** Anthropic and xAI say by their words alone that an account is empty. */
const NO_CREDIT = /credit balance is too low|used all available credits/i;

/** OpenRouter finds no server that takes pictures (404), llama.cpp and Ollama fail at one (500). */
const MEDIA = '(images?|pictures?|vision|audio|video|pdf|files?|multimodal)';
const MEDIA_REFUSED = new RegExp(
  `no endpoints found that support|\\b${MEDIA}\\b.{0,30}(not |n't |un)support|(not |n't |un)support.{0,20}\\b${MEDIA}\\b|data required for image`,
  'i',
);

/** Google answers a wrong key with 400. */
const KEY_NOT_VALID = /API_KEY_INVALID|API key not valid|API key expired/i;

/** Kinds that need somebody who pays; with 429 as well, which else passes. */
const BILLING = new Set(['insufficient_quota', 'billing_error', 'billing_hard_limit_reached', 'insufficient_balance']);
const KEY = new Set([
  'authentication_error',
  'permission_error',
  'invalid_api_key',
  'unauthenticated',
  'permission_denied',
  'api_key_invalid',
]);
const MODERATED = new Set(['flagged_input']);
const REFUSED = new Set(['invalid_request_error', 'invalid_argument', 'failed_precondition', 'invalid_prompt']);
const TOO_LONG = new Set(['request_too_large', 'context_length_exceeded']);
const NOT_FOUND = new Set(['not_found_error', 'model_not_found', 'not_found']);

/**
 * Distinguishes a provider's failures by what happened: which can pass by themselves, which need a person, which need a
 * shorter context. Whatever broke after the provider had begun to answer passes by itself.
 */
export function modelFailure(error: unknown, model: Model): ModelFailure {
  if (RetryError.isInstance(error)) return modelFailure(error.lastError, model);
  if (error instanceof BrokenStream) return modelFailure(error.cause, model);
  if (error instanceof OtherModelFailed) return modelFailure(error.cause, error.model);
  if (error instanceof UnusableAnswer) {
    const words = model.hideKey?.(error.message) ?? error.message;
    return { code: 'MODEL_FAILED', message: `${model.provider} ${words}`, retryable: error.retryable };
  }
  if (error instanceof RoostError)
    return { code: 'INTERNAL', message: error.message, retryable: error.code === 'SERVICE_UNAVAILABLE' };
  if (InvalidPromptError.isInstance(error))
    return {
      code: 'INTERNAL',
      message: 'the context could not be put into the form that the model takes',
      retryable: false,
    };
  const reported = providerErrorOf(error);
  if (reported && model.hideKey) {
    reported.message = model.hideKey(reported.message);
    reported.body = model.hideKey(reported.body);
  }
  const failure = reported ? failureOf(reported, model) : undefined;
  const { retryAfterMs } = reported ?? {};
  return {
    ...(failure ?? {
      code: 'MODEL_UNREACHABLE',
      message: `the connection to ${model.provider} broke`,
      retryable: true,
    }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function failureOf(reported: ProviderError, { provider, modelId, keySource }: Model): ModelFailure | undefined {
  const { status, message, body } = reported;
  const is = (kinds: Set<string>) => reported.kinds.some((kind) => kinds.has(kind));
  // The page of a proxy that fails may say anything.
  const text = (status ?? 0) < 500 ? `${message} ${body}` : message;
  if (status === 402 || is(BILLING) || ((status ?? 0) < 500 && NO_CREDIT.test(text)))
    return {
      code: 'MODEL_BILLING',
      message: withWords(
        `${provider} wants to be paid: ${ownerOf(keySource, provider)} has no quota or credit left`,
        reported,
      ),
      retryable: false,
    };
  if (status === 401 || (status === 403 && !is(MODERATED)) || is(KEY) || (status === 400 && KEY_NOT_VALID.test(text)))
    return {
      code: 'MODEL_KEY_REFUSED',
      message: withWords(`${provider} refused ${ownerOf(keySource, provider)}: set a valid key`, reported),
      retryable: false,
    };
  const mayBeTooLong = status === undefined || [400, 422, 500].includes(status) || is(REFUSED);
  const isTooLong = mayBeTooLong && CONTEXT_TOO_LONG.test(text) && !OF_OTHER.test(text);
  if (status === 413 || is(TOO_LONG) || isTooLong || isAboveRate(message))
    return {
      code: 'MODEL_CONTEXT_TOO_LONG',
      message: withWords(`the conversation is too long for ${modelId}`, reported),
      retryable: false,
    };
  const isMediaRefused = MEDIA_REFUSED.test(text);
  if (!isMediaRefused && (status === 404 || is(NOT_FOUND)))
    return {
      code: 'MODEL_NOT_FOUND',
      message: withWords(`${provider} has no model ${modelId}: check configuration.model`, reported),
      retryable: false,
    };
  // The SDK makes a 500 of whatever an answer's first event says.
  const isPassing = status === 408 || status === 409 || status === 425 || status === 429 || (status ?? 0) >= 500;
  const isRefused = isMediaRefused || TEMPLATE_REFUSED.test(text) || is(REFUSED);
  if (isPassing && !(isRefused && (status ?? 0) >= 500))
    return isOverload(status, reported.kinds)
      ? {
          code: 'MODEL_OVERLOADED',
          message: withWords(`${provider} is overloaded or limits the rate (HTTP ${status})`, reported),
          retryable: true,
        }
      : { code: 'MODEL_FAILED', message: withWords(`${provider} failed (HTTP ${status})`, reported), retryable: true };
  if (status !== undefined || isRefused)
    return {
      code: 'MODEL_REFUSED_REQUEST',
      message: withWords(`${provider} refused the request${status ? ` (HTTP ${status})` : ''}`, reported),
      retryable: false,
    };
  const [kind] = reported.kinds;
  return {
    code: isOverload(status, reported.kinds) ? 'MODEL_OVERLOADED' : 'MODEL_FAILED',
    message: withWords(`${provider} broke off its answer${kind ? ` (${kind})` : ''}`, reported),
    retryable: true,
  };
}

function isAboveRate(message: string): boolean {
  const [, limit, requested] = (ABOVE_RATE.exec(message) ?? []).map((number) => Number(number.replaceAll(',', '')));
  return limit !== undefined && requested !== undefined && requested > limit;
}

const OVERLOADED = new Set([
  'overloaded_error',
  'rate_limit_error',
  'rate_limit_exceeded',
  'resource_exhausted',
  'unavailable',
]);

/** Too busy for us, where a 500 alone is a fault of the provider. */
const isOverload = (status: number | undefined, kinds: string[]) =>
  status === 429 || status === 503 || status === 529 || kinds.some((kind) => OVERLOADED.has(kind));

function withWords(what: string, { message }: ProviderError): string {
  const words = providerMessage(message);
  return words ? `${what}: ${words}` : what;
}

function ownerOf(keySource: Model['keySource'], provider: string): string {
  if (keySource === 'none') return `${provider} (no key is set)`;
  return keySource === 'platform'
    ? `the platform's ${provider} key (${provider.toUpperCase()}_API_KEY)`
    : `the ${keySource}'s ${provider} key`;
}
