import { errorTable } from './error-responses.js';

/** The beginning of the reference: what holds for all operations. */
export const introduction =
  (): string => `Everything that Roost does is behind this API. \`npm start\` prints its address and an API key; the guide in \`docs/\` teaches it step by step.

**Authentication.** \`Authorization: Bearer KEY\` with an API key (\`roost_sk_…\`), the token of a sign-in, or a token of an identity provider that the operator trusts. Everything belongs to the account of the credential; what is another account’s is answered as if it did not exist (404).

**Form.** JSON in UTF-8, names in \`snake_case\`, times in RFC 3339 (UTC, milliseconds), ids are UUIDs (of messages \`msg_\` and a UUID). Unknown fields are refused by name, so that a typo shows. New fields may come in responses: ignore what you do not know. Sizes are in bytes and durations in the unit of their name (\`_ms\`, \`_seconds\`) unless a description says otherwise.

**Lists** come in pages: \`page\` and \`limit\` with \`pagination\` in the response, or a cursor where things are added while you read.

**Repeating.** Every POST of an account takes an \`Idempotency-Key\`: repeat it with the same key until you have an answer, and it has its effect once. GET, PUT and DELETE can be repeated as they are, and so can PATCH, except of a file to which it adds text.

**Limits.** Requests per minute are in \`RateLimit-*\` of each response to a credential; 429 and 503 say in \`Retry-After\` how long to wait. What an account may have altogether: \`GET /v1/account/quotas\`.

## Errors

Every error has the same body: a \`code\` for programs, a \`message\` for people, \`details\` with each cause, and the request’s id.

${errorTable()}
`;
