import { APICallError, InvalidPromptError, RetryError } from 'ai';
import { RoostError } from '#lib/contracts';
import type { ResolvedModel } from './model-registry.js';
import { providerMessage } from './provider-message.js';
import { BrokenStream } from './collect-answer.js';

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

/** What a provider returned when it failed, in whichever form the SDK hands it on. */
interface ProviderError {
  /** Absent: it was not reached, or broke off after it had begun to answer. */
  status?: number;
  /** The provider's own words for the kind of failure: `error.type`, `error.code`, `error.status`, reasons in details. */
  kinds: string[];
  message: string;
  body: string;
  retryAfterMs?: number;
}

const CONTEXT_TOO_LONG =
  /context.{0,20}(length|window)|prompt is too long|too many tokens|maximum.{0,20}tokens|input.{0,20}too long/i;

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

/** undefined: there was no answer, the connection was not made or broke. */
function providerErrorOf(error: unknown): ProviderError | undefined {
  if (APICallError.isInstance(error)) {
    const { statusCode, message, responseBody = '', data, responseHeaders } = error;
    // A success that could not be read to its end is no answer: the headers came, the rest broke.
    if (statusCode === undefined || statusCode < 300) return undefined;
    const retryAfterMs = retryAfter(responseHeaders);
    return {
      status: statusCode,
      kinds: kindsOf(data ?? parsed(responseBody)),
      message,
      body: responseBody,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  // An error event within a stream is handed on as the provider wrote it.
  const kinds = error instanceof Error ? kindsOf((error as { data?: unknown }).data) : kindsOf(error);
  if (kinds.length === 0) return undefined;
  return { kinds, message: messageOf(error), body: '' };
}

function failureOf(reported: ProviderError, { provider, modelId, keySource }: Model): ModelFailure | undefined {
  const { status, message, body } = reported;
  const is = (kinds: Set<string>) => reported.kinds.some((kind) => kinds.has(kind));
  const text = `${message} ${body}`;
  if (status === 402 || is(BILLING))
    return {
      code: 'MODEL_BILLING',
      message: withWords(
        `${provider} wants to be paid: ${ownerOf(keySource, provider)} has no quota or credit left`,
        reported,
      ),
      retryable: false,
    };
  if (status === 401 || status === 403 || is(KEY) || (status === 400 && KEY_NOT_VALID.test(text)))
    return {
      code: 'MODEL_KEY_REFUSED',
      message: withWords(`${provider} refused ${ownerOf(keySource, provider)}: set a valid key`, reported),
      retryable: false,
    };
  if (status === 413 || is(TOO_LONG) || ((status === 400 || is(REFUSED)) && CONTEXT_TOO_LONG.test(text)))
    return {
      code: 'MODEL_CONTEXT_TOO_LONG',
      message: withWords(`the conversation is too long for ${modelId}`, reported),
      retryable: false,
    };
  if (status === 404 || is(NOT_FOUND))
    return {
      code: 'MODEL_NOT_FOUND',
      message: withWords(`${provider} has no model ${modelId}: check configuration.model`, reported),
      retryable: false,
    };
  // The SDK makes a 500 of whatever an answer's first event says.
  const isPassing = status === 408 || status === 409 || status === 425 || status === 429 || (status ?? 0) >= 500;
  if (isPassing && !(is(REFUSED) && (status ?? 0) >= 500))
    return isOverload(status, reported.kinds)
      ? {
          code: 'MODEL_OVERLOADED',
          message: withWords(`${provider} is overloaded or limits the rate (HTTP ${status})`, reported),
          retryable: true,
        }
      : { code: 'MODEL_FAILED', message: withWords(`${provider} failed (HTTP ${status})`, reported), retryable: true };
  if (status !== undefined || is(REFUSED))
    return {
      code: 'MODEL_REFUSED_REQUEST',
      message: withWords(`${provider} refused the request${status ? ` (HTTP ${status})` : ''}`, reported),
      retryable: false,
    };
  return {
    code: 'MODEL_OVERLOADED',
    message: withWords(`${provider} broke off its answer (${reported.kinds[0]})`, reported),
    retryable: true,
  };
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

function withWords(what: string, { message, body }: ProviderError): string {
  const words = providerMessage(messageOf(parsed(body) ?? {}) || message);
  return words ? `${what}: ${words}` : what;
}

function ownerOf(keySource: Model['keySource'], provider: string): string {
  if (keySource === 'none') return `${provider} (no key is set)`;
  return keySource === 'platform'
    ? `the platform's ${provider} key (${provider.toUpperCase()}_API_KEY)`
    : `the ${keySource}'s ${provider} key`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of an error object as any provider writes it, or of what holds one. */
function kindsOf(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return [];
  const { error, type, code, status, details, reason } = data as Record<string, unknown>;
  const nested = Array.isArray(details) ? details.slice(0, 20).flatMap(kindsOf) : [];
  const inner = typeof error === 'object' ? kindsOf(error) : [];
  const own = [type, code, status, reason].filter((kind) => typeof kind === 'string' && kind !== 'error') as string[];
  return [...inner, ...own.map((kind) => kind.toLowerCase()), ...nested];
}

function messageOf(error: unknown): string {
  const { message, error: inner } = (error ?? {}) as { message?: unknown; error?: { message?: unknown } | null };
  return [message, inner?.message].find((text) => typeof text === 'string') ?? '';
}

function retryAfter(headers: Record<string, string> | undefined): number | undefined {
  const inMs = Number.parseFloat(headers?.['retry-after-ms'] ?? '');
  if (Number.isFinite(inMs)) return Math.max(0, inMs);
  const value = headers?.['retry-after'];
  if (!value) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
