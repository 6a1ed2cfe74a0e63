interface Header {
  description: string;
  schema: object;
}

/** Headers that requests may carry, as parameters of the document. */
export const REQUEST_HEADERS = {
  RequestId: {
    name: 'X-Request-Id',
    description:
      'An id of yours for this request: 1 to 128 letters, digits, `_`, `.`, `:`, `-`. It comes back in the response, in `meta.request_id` of errors, and stands in the logs. Without it, or with another form, one is made (`req_…`).',
    schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  },
  TraceParent: {
    name: 'traceparent',
    description: 'The trace that the request belongs to (W3C Trace Context). It is handed on to every service.',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    description:
      'Makes a repeated POST have its effect once: 1 to 255 printable ASCII characters, of your choice (a UUID). The same key with the same request within 24 hours gives the first result again, with `Idempotent-Replayed: true`; with another request it is 422 `IDEMPOTENCY_KEY_REUSED`; while the first still runs 409 `CONFLICT` with `Retry-After`. Failures of ours (5xx), `RATE_LIMITED` and `QUOTA_EXCEEDED` are not kept: the same request may then be repeated.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  LastEventId: {
    name: 'Last-Event-ID',
    description:
      'The `id` of the last event that was read: the stream goes on right after it. Events are kept for 24 hours; `0` starts before the first one. Without it the stream begins with what happens from now on. Browsers’ `EventSource` sends it by itself.',
    schema: { type: 'string' },
  },
  IfMatch: {
    name: 'If-Match',
    description:
      'The `ETag` that the file must still have, in quotes, or `*` for any file that is there. Another state is 412 `PRECONDITION_FAILED`, and nothing is changed.',
    schema: { type: 'string' },
  },
  IfAgentMatch: {
    name: 'If-Match',
    description:
      'The `ETag` of the agent that the change was made of, in quotes, or `*`. When its configuration has another version by now it is 409 `CONFLICT` with that version in `details`, and nothing is changed.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    description:
      'With `Accept: application/octet-stream`: an `ETag` that is known already. The same state is 304 without a body.',
    schema: { type: 'string' },
  },
  Range: {
    name: 'Range',
    description:
      'With `Accept: application/octet-stream`: the part of the bytes that is wanted, `bytes=0-1023`. The answer is 206 with `Content-Range`; several ranges are answered by the whole file (200).',
    schema: { type: 'string' },
  },
  IfRange: {
    name: 'If-Range',
    description: 'The `ETag` for which `Range` holds: of a file that has changed since, all of it is sent (200).',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Header & { name: string }>;

export type RequestHeader = keyof typeof REQUEST_HEADERS;

/** Headers of responses. */
export const RESPONSE_HEADERS = {
  'X-Request-Id': {
    description: 'The id of this request: yours, or one that was made. Name it when you ask an operator.',
    schema: { type: 'string' },
  },
  'RateLimit-Limit': {
    description: 'Requests that the account may send in a minute.',
    schema: { type: 'integer' },
  },
  'RateLimit-Remaining': {
    description: 'Requests that are left in this minute.',
    schema: { type: 'integer' },
  },
  'RateLimit-Reset': {
    description: 'Seconds until the minute is over and the count begins anew.',
    schema: { type: 'integer' },
  },
  'Retry-After': {
    description:
      'Seconds to wait before the request is repeated. With 503, with 429, and with 409 while the first request of an `Idempotency-Key` still runs.',
    schema: { type: 'integer' },
  },
  'Idempotent-Replayed': {
    description:
      '`true` when this is the kept result of an earlier request with the same `Idempotency-Key`; absent otherwise.',
    schema: { type: 'string', enum: ['true'] },
  },
  ETag: {
    description:
      'Names the state of the file, or the version of the agent’s configuration, in quotes: for `If-Match`, and of files for `If-None-Match` and `If-Range`.',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Header>;

export type ResponseHeader = keyof typeof RESPONSE_HEADERS;

export const requestHeader = (name: RequestHeader) => ({ $ref: `#/components/parameters/${name}` });

export const responseHeaders = (names: readonly ResponseHeader[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** What `components` of the document holds of them. */
export const headerComponents = {
  parameters: Object.fromEntries(
    Object.entries(REQUEST_HEADERS).map(([key, header]) => [key, { ...header, in: 'header', required: false }]),
  ),
  headers: RESPONSE_HEADERS,
};
