import type { Error as ErrorBody } from '../generated/types.gen.js';

/** Every code that this version of the API gives; a newer server may give others, as plain text. */
export type ErrorCode = ErrorBody['error']['code'];
export type ErrorDetail = ErrorBody['error']['details'][number];

export interface ErrorFacts {
  code: string;
  message: string;
  status: number;
  requestId?: string | undefined;
  details?: ErrorDetail[];
  retryAfterMs?: number | undefined;
}

/**
 * What Roost refused or could not do. `message` says what to do about it; `requestId` finds the call in the server's
 * log. The subclasses are kinds of causes; `code` is the exact one.
 */
export class RoostError extends Error {
  override readonly name: string = 'RoostError';
  readonly code: ErrorCode | (string & {});
  /** Of the HTTP response. */
  readonly status: number;
  readonly requestId: string | undefined;
  /** Which field, and why. */
  readonly details: ErrorDetail[];
  /** How long the server asks callers to wait. */
  readonly retryAfterMs: number | undefined;

  constructor({ code, message, status, requestId, details = [], retryAfterMs }: ErrorFacts) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The request is not valid, or what it asks for cannot be: `details` names the fields. */
export class ValidationError extends RoostError {
  override readonly name = 'ValidationError';
}
/** No key, an unknown one, or one that was revoked. */
export class AuthenticationError extends RoostError {
  override readonly name = 'AuthenticationError';
}
/** The key is good, and may not do this. */
export class PermissionError extends RoostError {
  override readonly name = 'PermissionError';
}
/** The account has as many of something as it may have: `details` names the quota, its limit and the use. */
export class QuotaExceededError extends RoostError {
  override readonly name = 'QuotaExceededError';
}
/** The agent has no output tokens left. */
export class BalanceExhaustedError extends RoostError {
  override readonly name = 'BalanceExhaustedError';
}
export class NotFoundError extends RoostError {
  override readonly name = 'NotFoundError';
}
/** It contradicts what is there: exists already, is still running, is not linked. */
export class ConflictError extends RoostError {
  override readonly name = 'ConflictError';
}
/** It has changed since you read it (`ifMatch`). */
export class PreconditionFailedError extends RoostError {
  override readonly name = 'PreconditionFailedError';
}
export class TooLargeError extends RoostError {
  override readonly name = 'TooLargeError';
}
export class RateLimitError extends RoostError {
  override readonly name = 'RateLimitError';
}
/** The agent is stopped or in error: start it, then try again. */
export class AgentUnavailableError extends RoostError {
  override readonly name = 'AgentUnavailableError';
}
/** A part of Roost is away. The call was tried again where that is safe. */
export class ServiceUnavailableError extends RoostError {
  override readonly name = 'ServiceUnavailableError';
}
/** The agent's volume is full. */
export class StorageFullError extends RoostError {
  override readonly name = 'StorageFullError';
}
/** A fault of Roost: its log says more under the request id. */
export class InternalError extends RoostError {
  override readonly name = 'InternalError';
}

type ErrorClass = new (facts: ErrorFacts) => RoostError;

/** Complete by its type: a new code of the API does not compile until it has a class here. */
const CLASS_OF: Record<ErrorCode, ErrorClass> = {
  VALIDATION_ERROR: ValidationError,
  METHOD_NOT_ALLOWED: ValidationError,
  UNSUPPORTED_MEDIA_TYPE: ValidationError,
  RANGE_NOT_SATISFIABLE: ValidationError,
  IDEMPOTENCY_KEY_REUSED: ValidationError,
  UNAUTHORIZED: AuthenticationError,
  FEATURE_DISABLED: PermissionError,
  ACCESS_DENIED: PermissionError,
  QUOTA_EXCEEDED: QuotaExceededError,
  BALANCE_EXHAUSTED: BalanceExhaustedError,
  NOT_FOUND: NotFoundError,
  CONFLICT: ConflictError,
  ALREADY_EXISTS: ConflictError,
  CHANNEL_NOT_CONFIGURED: ConflictError,
  PRECONDITION_FAILED: PreconditionFailedError,
  PAYLOAD_TOO_LARGE: TooLargeError,
  HEADERS_TOO_LARGE: TooLargeError,
  RATE_LIMITED: RateLimitError,
  REQUEST_TIMEOUT: ServiceUnavailableError,
  SERVICE_UNAVAILABLE: ServiceUnavailableError,
  AGENT_UNAVAILABLE: AgentUnavailableError,
  INSUFFICIENT_STORAGE: StorageFullError,
  INTERNAL: InternalError,
};

const CLASS_OF_STATUS: Record<number, ErrorClass> = {
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  412: PreconditionFailedError,
  413: TooLargeError,
  429: RateLimitError,
  502: ServiceUnavailableError,
  503: ServiceUnavailableError,
  504: ServiceUnavailableError,
};

/** Roost could not be reached, or its answer broke off. Whether the call had its effect is not known. */
export class ConnectionError extends Error {
  override readonly name: string = 'ConnectionError';
}

/** No answer within `timeoutMs`. Whether the call had its effect is not known. */
export class TimeoutError extends ConnectionError {
  override readonly name = 'TimeoutError';
}

/** The error of a response that is none of success. `text` is its body, or the beginning of it. */
export function errorOfResponse(response: Response, text: string): RoostError {
  const body = parsed(text);
  const code = body?.error?.code;
  const facts: ErrorFacts = {
    code: code ?? `HTTP_${response.status}`,
    message: body?.error?.message ?? `${response.url || 'The server'} answered ${response.status}; is it a Roost?`,
    status: response.status,
    requestId: body?.meta?.request_id ?? response.headers.get('x-request-id') ?? undefined,
    details: body?.error?.details ?? [],
    retryAfterMs: retryAfterOf(response.headers.get('retry-after')),
  };
  const known = Object.hasOwn(CLASS_OF, facts.code) ? CLASS_OF[facts.code as ErrorCode] : undefined;
  return new (known ?? CLASS_OF_STATUS[response.status] ?? RoostError)(facts);
}

/** A proxy on the way may answer with anything. */
function parsed(text: string): Partial<ErrorBody> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object'
      ? (body as Partial<ErrorBody>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date (RFC 9110 10.2.3). */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
