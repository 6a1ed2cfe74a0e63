import type { ErrorCode } from '#lib/contracts';

interface ErrorMeaning {
  meaning: string;
  /** What a caller does about it. */
  remedy: string;
}

/** What every error code means, for the reference. A code without an entry does not compile. */
export const ERROR_REFERENCE: Record<ErrorCode, ErrorMeaning> = {
  VALIDATION_ERROR: {
    meaning: 'A field, parameter or header is missing, unknown, out of bounds or of another form than it must be.',
    remedy:
      'Read `error.details`: each entry names the field, the reason and the bound. Mend the request; repeating it as it is gives the same.',
  },
  UNAUTHORIZED: {
    meaning: 'No credential came, or it is unknown, expired or revoked; or a signature does not fit the body.',
    remedy: 'Send `Authorization: Bearer …` with a valid key or token; renew an expired token by `POST /auth/refresh`.',
  },
  BALANCE_EXHAUSTED: {
    meaning:
      'The agent has no output tokens left. Messages are accepted and wait; the code appears in events and webhooks.',
    remedy: 'Raise the balance with `POST /v1/agent/{id}/balance`: what waits is answered at once.',
  },
  FEATURE_DISABLED: {
    meaning: 'The account may not use AI agents.',
    remedy: 'Ask the operator, who runs `npx roost admin account enable-agents WHO`.',
  },
  ACCESS_DENIED: {
    meaning:
      'The caller is known and may not do this: a path outside the workspace, a key where a sign-in is needed, a wrong password, somebody who has no account here.',
    remedy: 'Do what the message says; repeating it as it is gives the same.',
  },
  QUOTA_EXCEEDED: {
    meaning: 'The account holds as much as it may. `error.details` names the quota, its limit and what is used.',
    remedy:
      'Make room (the message says how) or ask the operator for more; then send the same request again, with the same `Idempotency-Key` if it had one.',
  },
  NOT_FOUND: {
    meaning: 'There is no such thing, or it belongs to another account: the answer is the same for both.',
    remedy: 'Check the id and whose key is used.',
  },
  METHOD_NOT_ALLOWED: {
    meaning: 'The path is known and the method is not. `Allow` lists those that are.',
    remedy: 'Use a method of the `Allow` header.',
  },
  REQUEST_TIMEOUT: {
    meaning: 'The body did not arrive in time, or too slowly.',
    remedy: 'Send it again over a better connection; large files as a stream.',
  },
  CONFLICT: {
    meaning: 'The request is valid and does not fit the present state.',
    remedy:
      'The message says what stands against it. With an `Idempotency-Key` the first request may still be running: wait for `Retry-After` and repeat.',
  },
  ALREADY_EXISTS: {
    meaning: 'Something of this name or path exists.',
    remedy: 'Choose another name, replace it (`overwrite` for files) or leave it.',
  },
  CHANNEL_NOT_CONFIGURED: {
    meaning: 'There is no bot on this chat platform, or the platform refuses its token.',
    remedy: 'Set the field that the message names, then ask again.',
  },
  PRECONDITION_FAILED: {
    meaning: 'The file has changed since the `ETag` that `If-Match` names.',
    remedy: 'Read the file again, apply the change to what it holds now, and send it with the new `ETag`.',
  },
  PAYLOAD_TOO_LARGE: {
    meaning: 'The body, or the content that was asked for, is over the limit of the operation.',
    remedy: 'Send less, or use the streamed form (`application/octet-stream`) or parts (`offset` and `length`).',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    meaning: 'The body is of a type that the operation does not take.',
    remedy: 'Send `Content-Type: application/json`, or the type that the operation names.',
  },
  RANGE_NOT_SATISFIABLE: {
    meaning: 'The `Range` begins after the end of the file.',
    remedy: '`Content-Range` of the answer has the size; ask for a part that is there.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    meaning: 'The `Idempotency-Key` was used within 24 hours for a request with another path or body.',
    remedy: 'Use a new key for a new request.',
  },
  RATE_LIMITED: {
    meaning: 'Too many requests in this minute, too many long ones open at once, or too many tries.',
    remedy: 'Wait for the seconds of `Retry-After`, then repeat.',
  },
  HEADERS_TOO_LARGE: {
    meaning: 'The address and the headers of the request are over 16 KiB together.',
    remedy: 'Send a shorter address, fewer or shorter headers.',
  },
  INTERNAL: {
    meaning: 'Something failed that should not have. Nothing of it is the caller’s fault.',
    remedy:
      'Repeat it (with an `Idempotency-Key`, so that nothing is done twice); if it stays, look up `meta.request_id` in the log.',
  },
  AGENT_UNAVAILABLE: {
    meaning: 'The agent is stopped or in error, or its workspace cannot be had now.',
    remedy:
      'Start the agent with `POST /v1/agent/{id}/status` and `{"status":"active"}`; `status_reason` of the agent says what went wrong.',
  },
  SERVICE_UNAVAILABLE: {
    meaning: 'A service that is needed does not answer now. Whether the request was carried out is not known.',
    remedy: 'Wait for `Retry-After` (or a second) and repeat, with the same `Idempotency-Key`.',
  },
  INSUFFICIENT_STORAGE: {
    meaning: 'The volume of the agent is full. What was there is as it was.',
    remedy: 'Delete files, or raise `pvc_size`.',
  },
};
