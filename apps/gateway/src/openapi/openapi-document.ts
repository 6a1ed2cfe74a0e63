import { WEBHOOK_BODIES } from '#lib/contracts';
import { type Controller, routesOf } from '../http/routes.js';
import { ErrorBody, errorExamples, ErrorResponses } from './error-responses.js';
import { headerComponents } from './headers.js';
import { introduction } from './introduction.js';
import { type DocumentParts, operation } from './operation.js';
import { PARAMETER } from './parameters.js';
import { recordedExamples } from './recorded-examples.js';
import { SchemaComponents } from './schema-components.js';
import { TAGS } from './tags.js';
import { webhookOperations } from './webhook-operations.js';

/** The OpenAPI 3.1 document of all controllers, made from the declarations that also validate. */
export function openApiDocument(controllers: readonly Controller[], version: string): object {
  const recorded = recordedExamples();
  const routes = routesOf(controllers);
  const schemas = new SchemaComponents([
    ErrorBody,
    ...WEBHOOK_BODIES.map(({ body }) => body),
    ...routes
      .flatMap(({ params, query, body, endpoint }) => [params, query, body, endpoint?.response, endpoint?.events])
      .filter((schema) => schema !== undefined),
  ]);
  const parts: DocumentParts = { schemas, errors: new ErrorResponses(), recorded };
  const paths: Record<string, Record<string, object>> = {};
  for (const { endpoint, path, ...route } of routes) {
    if (!endpoint) continue;
    // Fastify's wildcard has no name.
    const named = path.replace(/\*$/, ':path');
    const operations = (paths[named.replace(PARAMETER, '{$1}')] ??= {});
    operations[route.method.toLowerCase()] = operation({ ...route, ...endpoint, path: named }, parts);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Roost API',
      version,
      summary: 'Always-on AI agents on your own machines.',
      description: introduction(),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: webhookOperations(WEBHOOK_BODIES, parts),
    components: {
      schemas: parts.schemas.shared,
      responses: parts.errors.shared,
      examples: errorExamples(recorded),
      ...headerComponents,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key (`roost_sk_…`), the token of a sign-in, or a token of a trusted issuer.',
        },
        apiKeyHeader: {
          type: 'apiKey',
          in: 'header',
          name: 'x-shinzo-api-key',
          description: 'An API key, for clients of the older name.',
        },
        shortApiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key.' },
      },
    },
  };
}

export { operationIdOf } from './operation.js';
