import { ERROR_STATUS, type ErrorCode, WEBHOOK_BODIES } from '#lib/contracts';
import { z } from 'zod';
import type { EndpointDefinition } from '../http/endpoint.js';
import { type Controller, type Route, routesOf } from '../http/routes.js';
import { exampleOf } from './example-of.js';
import { SchemaComponents } from './schema-components.js';

const ErrorBody = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode]),
    message: z.string(),
    details: z.array(z.looseObject({ field: z.string().optional(), reason: z.string() })),
  }),
  meta: z.object({ request_id: z.string(), timestamp: z.string() }),
});

/** The codes that any endpoint of an account may give. */
const ALWAYS: ErrorCode[] = ['VALIDATION_ERROR', 'RATE_LIMITED', 'INTERNAL', 'SERVICE_UNAVAILABLE'];
/** ACCESS_DENIED: a token of a trusted issuer, of somebody who is nobody here. */
const FOR_SIGNED_IN: ErrorCode[] = ['UNAUTHORIZED', 'ACCESS_DENIED'];
const FOR_ACCOUNTS: ErrorCode[] = [...FOR_SIGNED_IN, 'FEATURE_DISABLED'];
/** Of a POST with `Idempotency-Key`. */
const FOR_POSTS: ErrorCode[] = ['CONFLICT', 'IDEMPOTENCY_KEY_REUSED'];
const FOR_BODIES: ErrorCode[] = ['REQUEST_TIMEOUT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** A parameter as Fastify writes it, with what it may be: `:platform(discord|slack)`. */
const PARAMETER = /:(\w+)(?:\(([\w|]+)\))?/g;

/** The OpenAPI 3.1 document of all controllers, made from the declarations that also validate. */
export function openApiDocument(controllers: readonly Controller[], version: string): object {
  const schemas = new SchemaComponents();
  const paths: Record<string, Record<string, object>> = {};
  for (const { endpoint, path, ...route } of routesOf(controllers)) {
    if (!endpoint) continue;
    // Fastify's wildcard has no name.
    const named = path.replace(/\*$/, ':path');
    const operations = (paths[named.replace(PARAMETER, '{$1}')] ??= {});
    operations[route.method.toLowerCase()] = operation({ ...route, ...endpoint, path: named }, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Roost',
      version,
      description: 'The home of always-on AI agents',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    webhooks: webhooks(schemas),
    components: {
      schemas: { ...schemas.shared, Error: schemas.of(ErrorBody, 'Error') },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A platform API key (roost_sk_…), a token of a sign-in, or a token of a trusted issuer',
        },
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-shinzo-api-key' },
        shortApiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
  };
}

/** What Roost sends to webhook endpoints. */
function webhooks(schemas: SchemaComponents): object {
  return Object.fromEntries(
    WEBHOOK_BODIES.map(({ type, description, body }) => [
      type,
      {
        post: {
          operationId: `Webhook_${type.replace(/\W/g, '_')}`,
          summary: description,
          security: [],
          requestBody: { required: true, content: json(schemas.of(body, `webhook_${type}`), schemas, true) },
          responses: {
            '2XX': { description: 'Received: it is not sent again' },
            '410': { description: 'The endpoint is gone: it is disabled' },
          },
        },
      },
    ]),
  );
}

type Operation = Omit<Route, 'endpoint'> & EndpointDefinition;

export const operationIdOf = ({ controller, name }: Pick<Route, 'controller' | 'name'>, known?: string): string =>
  known ?? `${controller.name.replace(/Controller$/, '')}_${name}`;

function operation(definition: Operation, schemas: SchemaComponents): object {
  const operationId = operationIdOf(definition, definition.operationId);
  const isPublic = definition.access === 'public';
  const codes = new Set([...commonErrors(definition), ...(definition.errors ?? [])]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERROR_STATUS[code], [...(byStatus.get(ERROR_STATUS[code]) ?? []), code]);
  return {
    operationId,
    summary: definition.summary,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    tags: [definition.tag],
    'x-roost-access': definition.access,
    'x-roost-tenant': definition.tenant ?? 'account',
    security: isPublic ? [] : [{ bearer: [] }, { apiKeyHeader: [] }, { shortApiKeyHeader: [] }],
    parameters: [
      ...pathParameters(definition.path),
      ...queryParameters(definition.query && schemas.of(definition.query, `${operationId}_query`)),
      ...(isReplayable(definition) ? [IDEMPOTENCY_KEY] : []),
    ],
    ...requestBody(definition, definition.body && schemas.of(definition.body, `${operationId}_body`), schemas),
    responses: {
      [definition.status ?? 200]: {
        description: 'Success',
        ...(definition.response
          ? { content: json(schemas.of(definition.response, `${operationId}_response`), schemas, true) }
          : {}),
        ...(definition.events
          ? { content: { 'text/event-stream': { schema: schemas.of(definition.events, `${operationId}_event`) } } }
          : {}),
      },
      ...Object.fromEntries(
        [...byStatus].map(([status, list]) => [
          status,
          {
            description: list.join(', '),
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/Error' },
                examples: Object.fromEntries(list.map((code) => [code, { value: errorExample(code) }])),
              },
            },
          },
        ]),
      ),
    },
  };
}

/** A body in JSON with an example of it. */
function json(schema: Record<string, unknown>, schemas: SchemaComponents, isFull: boolean, example?: unknown): object {
  return { 'application/json': { schema, example: example ?? exampleOf(schema, schemas.shared, isFull) } };
}

function errorExample(code: ErrorCode): object {
  return {
    success: false,
    error: { code, message: 'what happened, and what to do about it', details: [] },
    meta: { request_id: 'req_01935a7e-3c1b-7f00-8a4e-5b6c7d8e9f00', timestamp: '2026-11-24T10:30:00.000Z' },
  };
}

function commonErrors(definition: Operation): ErrorCode[] {
  const { access, params, body, accepts } = definition;
  return [
    ...ALWAYS,
    ...(access === 'account' ? FOR_ACCOUNTS : access === 'signed-in' ? FOR_SIGNED_IN : []),
    ...(isReplayable(definition) ? FOR_POSTS : []),
    ...(body || accepts ? FOR_BODIES : []),
    ...(params ? (['NOT_FOUND'] as const) : []),
  ];
}

const isReplayable = ({ method, access }: Pick<Operation, 'method' | 'access'>) =>
  method === 'POST' && access !== 'public';

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key within 24 h gives the first result again',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function requestBody(
  { accepts = ['json'], example }: Operation,
  schema: Record<string, unknown> | undefined,
  schemas: SchemaComponents,
): object {
  const content = {
    ...(schema ? json(schema, schemas, false, example) : {}),
    ...(accepts.includes('stream') ? { 'application/octet-stream': {} } : {}),
    ...(accepts.includes('raw') ? { '*/*': {} } : {}),
  };
  return Object.keys(content).length > 0 ? { requestBody: { required: true, content } } : {};
}

const pathParameters = (path: string) =>
  [...path.matchAll(PARAMETER)].map(([, name, values]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(values === undefined ? {} : { enum: values.split('|') }) },
  }));

function queryParameters(schema: object | undefined): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}
