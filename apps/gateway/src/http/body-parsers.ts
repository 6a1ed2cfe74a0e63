import { RoostError } from '#lib/contracts';
import { parseExactJson } from '#lib/template';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import { type EndpointDefinition, endpointOf } from './endpoint.js';
import { refuseOversizedJson } from './json-bounds.js';
import type { ApiRequest } from './request.js';
import { refuseUnusableJson } from './usable-text.js';

const UTF8 = /^(?:utf-?8|us-ascii)$/;
/** RFC 8259, 8.1: nobody should send it, and a reader may ignore it. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Parses bodies: JSON is parsed and its bytes are kept, because signatures and idempotency are over
 * bytes; every other content type stays a stream, which endpoints have to accept by name.
 */
export function addBodyParsers(server: FastifyInstance, maxJsonBytes: number): void {
  server.removeAllContentTypeParsers();
  const keepBytesAndParse = (
    request: FastifyRequest,
    body: Buffer,
    done: (error: Error | null, body?: unknown) => void,
  ): void => {
    (request as ApiRequest).rawBody = body;
    const endpoint = endpointOf(request.routeOptions);
    // Clients set the content type on POSTs without a body too.
    if (body.length === 0) return done(null, undefined);
    // Whoever takes bytes with a signature reads them once it has looked at the signature.
    if (endpoint?.accepts?.includes('raw')) return done(null, undefined);
    let value: unknown;
    try {
      value = readJson(body, request.headers['content-type'], endpoint);
    } catch (error) {
      return done(error as Error);
    }
    done(null, value);
  };
  const options = { parseAs: 'buffer' as const, bodyLimit: maxJsonBytes };
  server.addContentTypeParser('application/json', options, keepBytesAndParse);
  server.addContentTypeParser(/^application\/[\w.-]+\+json/, options, keepBytesAndParse);
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** Errors: UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR. */
function readJson(
  body: Buffer,
  contentType = '',
  { mayHoldNul, keepsDigits = false }: Pick<EndpointDefinition, 'mayHoldNul' | 'keepsDigits'> = {},
): unknown {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1];
  if (charset !== undefined && !UTF8.test(charset.toLowerCase()))
    throw new RoostError('UNSUPPORTED_MEDIA_TYPE', 'JSON must be in UTF-8: send content-type: application/json');
  if (!isUtf8(body)) throw malformed('the body is not UTF-8', 'not_utf8');
  refuseOversizedJson(body);
  const sent = body.toString('utf8');
  const text = sent.startsWith(BYTE_ORDER_MARK) ? sent.slice(1) : sent;
  let value: unknown;
  try {
    value = keepsDigits ? parseExactJson(text) : JSON.parse(text);
  } catch {
    throw malformed('the body is not valid JSON', 'malformed_json');
  }
  refuseUnusableJson(text, value, mayHoldNul);
  return value;
}

const malformed = (message: string, reason: string) =>
  new RoostError('VALIDATION_ERROR', message, [{ field: 'body', reason }]);
