import { ERROR_STATUS, type ErrorCode } from '#lib/contracts';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { z } from 'zod';
import { ENDPOINT, type EndpointDefinition } from '../http/endpoint.js';

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
const ALWAYS: ErrorCode[] = ['VALIDATION_ERROR', 'INTERNAL', 'SERVICE_UNAVAILABLE'];
const FOR_ACCOUNTS: ErrorCode[] = ['UNAUTHORIZED', 'FEATURE_DISABLED'];

/** The wire form of a schema as JSON Schema. */
const jsonSchema = (schema: z.ZodType) => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    cycles: 'ref',
    reused: 'inline',
  });
  return rest;
};

/** The OpenAPI 3.1 document of all controllers, made from the declarations that also validate. */
export function openApiDocument(controllers: (new (...parameters: never[]) => object)[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const controller of controllers) {
    const prefix = String(Reflect.getMetadata(PATH_METADATA, controller) ?? '');
    for (const name of Object.getOwnPropertyNames(controller.prototype)) {
      const handler = (controller.prototype as Record<string, unknown>)[name];
      const definition =
        typeof handler === 'function'
          ? (Reflect.getMetadata(ENDPOINT, handler) as EndpointDefinition | undefined)
          : undefined;
      if (!definition) continue;
      const path = `/${[prefix, definition.path].filter(Boolean).join('/')}`.replace(/[:*](\w+)/g, '{$1}');
      (paths[path] ??= {})[definition.method.toLowerCase()] = operation(
        definition,
        `${controller.name.replace(/Controller$/, '')}_${name}`,
        path,
      );
    }
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
    components: {
      schemas: { Error: jsonSchema(ErrorBody) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A platform API key: roost_sk_…' },
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-shinzo-api-key' },
      },
    },
  };
}

function operation(definition: EndpointDefinition, operationId: string, path: string): object {
  const isPublic = definition.access === 'public';
  const codes = [...new Set([...ALWAYS, ...(isPublic ? [] : FOR_ACCOUNTS), ...(definition.errors ?? [])])];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERROR_STATUS[code], [...(byStatus.get(ERROR_STATUS[code]) ?? []), code]);
  return {
    operationId,
    summary: definition.summary,
    tags: [definition.tag],
    security: isPublic ? [] : [{ bearer: [] }, { apiKeyHeader: [] }],
    parameters: [...pathParameters(path), ...queryParameters(definition.query)],
    ...(definition.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(definition.body) } } } }
      : {}),
    responses: {
      [definition.status ?? 200]: {
        description: 'Success',
        ...(definition.response
          ? { content: { 'application/json': { schema: jsonSchema(definition.response) } } }
          : {}),
      },
      ...Object.fromEntries(
        [...byStatus].map(([status, list]) => [
          status,
          {
            description: list.join(', '),
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
          },
        ]),
      ),
    },
  };
}

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

function queryParameters(query: z.ZodType | undefined): object[] {
  if (!query) return [];
  const { properties = {}, required = [] } = jsonSchema(query) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
