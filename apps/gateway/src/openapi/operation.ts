import type { ErrorCode } from '#lib/contracts';
import type { EndpointDefinition } from '../http/endpoint.js';
import type { Route } from '../http/routes.js';
import type { ErrorResponses } from './error-responses.js';
import { exampleOf } from './example-of.js';
import { type RequestHeader, type ResponseHeader, responseHeaders } from './headers.js';
import { parametersOf } from './parameters.js';
import type { RecordedExamples } from './recorded-examples.js';
import type { SchemaComponents } from './schema-components.js';

/** What all operations of a document add to. */
export interface DocumentParts {
  schemas: SchemaComponents;
  errors: ErrorResponses;
  recorded: RecordedExamples;
}

type Operation = Omit<Route, 'endpoint'> & EndpointDefinition;
type Schema = Record<string, unknown>;

/** The codes that any endpoint of an account may give. */
const ALWAYS: ErrorCode[] = ['VALIDATION_ERROR', 'RATE_LIMITED', 'INTERNAL', 'SERVICE_UNAVAILABLE'];
/** ACCESS_DENIED: a token of a trusted issuer, of somebody who is nobody here; who is no operator, on their routes. */
const FOR_SIGNED_IN: ErrorCode[] = ['UNAUTHORIZED', 'ACCESS_DENIED'];
const FOR_ACCOUNTS: ErrorCode[] = [...FOR_SIGNED_IN, 'FEATURE_DISABLED'];
/** Of a POST with `Idempotency-Key`. */
const FOR_POSTS: ErrorCode[] = ['CONFLICT', 'IDEMPOTENCY_KEY_REUSED'];
const FOR_BODIES: ErrorCode[] = ['REQUEST_TIMEOUT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

export const operationIdOf = ({ controller, name }: Pick<Route, 'controller' | 'name'>, known?: string): string =>
  known ?? `${controller.name.replace(/Controller$/, '')}_${name}`;

export function operation(definition: Operation, parts: DocumentParts): object {
  const { access, description, path, summary, tag, tenant } = definition;
  const operationId = operationIdOf(definition, definition.operationId);
  const schemaOf = (part: 'params' | 'query' | 'body' | 'response') => {
    const schema = definition[part];
    return schema && parts.schemas.of(schema);
  };
  const [params, query] = [schemaOf('params'), schemaOf('query')];
  const recorded = parts.recorded.operations[operationId];
  const example = recorded?.request ?? definition.example;
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    'x-roost-access': access,
    'x-roost-tenant': tenant ?? 'account',
    security: access === 'public' ? [] : [{ bearer: [] }, { apiKeyHeader: [] }, { shortApiKeyHeader: [] }],
    parameters: parametersOf(
      path,
      { ...(params && { params }), ...(query && { query }), headers: requestHeadersOf(definition) },
      parts.schemas.shared,
    ),
    ...requestBody(definition, schemaOf('body'), parts, example),
    responses: {
      [definition.status ?? 200]: success(definition, schemaOf('response'), parts, recorded?.response),
      ...parts.errors.of([...commonErrors(definition), ...(definition.errors ?? [])]),
    },
  };
}

const isReplayable = ({ method, access }: Pick<Operation, 'method' | 'access'>) =>
  method === 'POST' && access !== 'public';

const requestHeadersOf = (definition: Operation): RequestHeader[] => [
  ...(isReplayable(definition) ? (['IdempotencyKey'] as const) : []),
  ...(definition.requestHeaders ?? []),
  'RequestId',
  'TraceParent',
];

function commonErrors(definition: Operation): ErrorCode[] {
  const { access, params, body, accepts } = definition;
  return [
    ...ALWAYS,
    ...(access === 'account' ? FOR_ACCOUNTS : access === 'public' ? [] : FOR_SIGNED_IN),
    ...(isReplayable(definition) ? FOR_POSTS : []),
    ...(body || accepts ? FOR_BODIES : []),
    ...(params ? (['NOT_FOUND'] as const) : []),
  ];
}

function success(definition: Operation, schema: Schema | undefined, parts: DocumentParts, recorded: unknown): object {
  const headers: ResponseHeader[] = [
    'X-Request-Id',
    ...(definition.access === 'public' ? [] : (['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'] as const)),
    ...(isReplayable(definition) ? (['Idempotent-Replayed'] as const) : []),
    ...(definition.responseHeaders ?? []),
  ];
  const content = {
    ...(schema ? json(schema, parts.schemas, true, recorded) : {}),
    ...eventStream(definition, parts),
    ...definition.responseContent,
  };
  return {
    description: definition.responseDescription ?? 'Done.',
    headers: responseHeaders(headers),
    ...(Object.keys(content).length > 0 ? { content } : {}),
  };
}

/** Server-sent events: the schema is that of one, the examples are what was seen of each type. */
function eventStream({ events }: Operation, { schemas, recorded }: DocumentParts): object {
  if (!events) return {};
  const types = new Set<string>(events.options.map(({ shape }) => shape.type.value));
  const examples = Object.entries(recorded.events).flatMap(([type, value]) =>
    types.has(type) ? [[type, { value }]] : [],
  );
  return {
    'text/event-stream': {
      schema: schemas.of(events),
      ...(examples.length > 0 ? { examples: Object.fromEntries(examples) as object } : {}),
    },
  };
}

function requestBody(
  { accepts = ['json'] }: Operation,
  schema: Schema | undefined,
  { schemas }: DocumentParts,
  example: unknown,
): object {
  const content = {
    ...(schema ? json(schema, schemas, false, example) : {}),
    ...(schema && accepts.includes('yaml') ? { 'application/yaml': { schema } } : {}),
    ...(accepts.includes('stream') ? { 'application/octet-stream': { schema: BYTES } } : {}),
    ...(accepts.includes('raw') ? { '*/*': { schema: BYTES, ...(example === undefined ? {} : { example }) } } : {}),
  };
  return Object.keys(content).length > 0 ? { requestBody: { required: true, content } } : {};
}

const BYTES = { description: 'The bytes as they are.' };

/** A body in JSON with an example of it: what was recorded or declared, else one made from the schema. */
function json(schema: Schema, schemas: SchemaComponents, isFull: boolean, example?: unknown): object {
  return { 'application/json': { schema, example: example ?? exampleOf(schema, schemas.shared, isFull) } };
}
