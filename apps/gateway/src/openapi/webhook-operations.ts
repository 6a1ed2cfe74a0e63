import type { WEBHOOK_BODIES } from '#lib/contracts';
import { exampleOf } from './example-of.js';
import type { DocumentParts } from './operation.js';

const HEADERS = [
  ['webhook-id', 'The id of the event for this endpoint: the same in every try. Handle each once.'],
  ['webhook-timestamp', 'When this try was signed: seconds since 1970. Refuse what is older than five minutes.'],
  [
    'webhook-signature',
    '`v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, with what is base64 after `whsec_` of the secret as its key. For 24 hours after a rotation there are two, with a space between: accept either.',
  ],
] as const;

const RECEIVED = {
  '2XX': { description: 'Received. The delivery has succeeded.' },
  '410': { description: 'Send nothing more: the endpoint is disabled.' },
  '429': { description: 'Later: `Retry-After` is obeyed, up to a day. So it is with 503.' },
  default: {
    description:
      'Anything else, a redirect too, or nothing within 15 seconds: tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h (each ±20 %), then given up as `dead`.',
  },
};

/** The requests that endpoints of accounts get: Standard Webhooks, https://www.standardwebhooks.com */
export function webhookOperations(
  bodies: typeof WEBHOOK_BODIES,
  { schemas, recorded }: Pick<DocumentParts, 'schemas' | 'recorded'>,
): Record<string, object> {
  return Object.fromEntries(
    bodies.map(({ type, description, body }) => {
      const schema = schemas.of(body);
      const example = recorded.webhooks[type] ?? exampleOf(schema, schemas.shared, true);
      return [
        type,
        {
          post: {
            operationId: `Webhook_${type.replace(/\W/g, '_')}`,
            summary: type,
            description,
            tags: ['Webhooks'],
            security: [],
            parameters: HEADERS.map(([name, text]) => ({
              name,
              in: 'header',
              required: true,
              description: text,
              schema: { type: 'string' },
            })),
            requestBody: { required: true, content: { 'application/json': { schema, example } } },
            responses: RECEIVED,
          },
        },
      ];
    }),
  );
}
