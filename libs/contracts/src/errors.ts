/** Every error code of the API, with the HTTP status the gateway gives it (spec: 00-overview, "Shapes"). */
export const ERROR_STATUS = {
  VALIDATION_ERROR: 400,
  UNAUTHORIZED: 401,
  BALANCE_EXHAUSTED: 402,
  FEATURE_DISABLED: 403,
  ACCESS_DENIED: 403,
  QUOTA_EXCEEDED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  ALREADY_EXISTS: 409,
  CHANNEL_NOT_CONFIGURED: 409,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  IDEMPOTENCY_KEY_REUSED: 422,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  AGENT_UNAVAILABLE: 503,
  SERVICE_UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One cause in `error.details`: which field, a machine-readable reason, and the limit it broke if there is one. */
export interface ErrorDetail {
  field?: string;
  reason: string;
  [key: string]: unknown;
}

/**
 * The one error of Roost. `message` is shown to users: it explains what to do and never holds a stack,
 * SQL, a host path or a secret. Anything else that is thrown becomes INTERNAL at the next edge.
 */
export class RoostError extends Error {
  override readonly name = 'RoostError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetail[] = [],
    /** Seconds after which the caller may try again; becomes `Retry-After`. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_STATUS, value);
}

/** What a caller does about an agent that is stopped or in error, for the end of a message. */
export const callThatStarts = (agentId: string): string =>
  `start it with POST /v1/agent/${agentId}/status and {"status":"active"}`;
