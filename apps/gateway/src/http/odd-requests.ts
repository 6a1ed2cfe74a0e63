import { ERROR_STATUS, RoostError } from '#lib/contracts';
import type { FastifyInstance, FastifyReply, FastifyServerOptions } from 'fastify';
import type { Socket } from 'node:net';
import { ErrorBody } from './error-body.js';
import { rawError } from './raw-error.js';
import { type ApiRequest, requestIdOf } from './request.js';
import { securityHeaders } from './security-headers.js';

interface ProtocolError extends Error {
  code?: string | undefined;
  rawPacket?: unknown;
}

const REQUEST_LINE = /^[\w-]{1,40} \S+ HTTP\/1\.[01]\r\n/;

/** What Node finds wrong with a request before there is one, in the error shape. */
export function protocolError(error: ProtocolError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(answerTo(error));
  socket.destroySoon();
}

function answerTo({ code, rawPacket }: ProtocolError): string {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return rawError('REQUEST_TIMEOUT', 'the request did not come in time; send it again');
    case 'HPE_HEADER_OVERFLOW':
      return rawError('HEADERS_TOO_LARGE', 'the address and the headers are larger than 16 KiB together');
    case 'HPE_INVALID_METHOD':
      // The parser reports this for whatever does not begin with a method, too.
      if (!Buffer.isBuffer(rawPacket) || !REQUEST_LINE.test(rawPacket.toString('latin1'))) break;
      return rawError('METHOD_NOT_ALLOWED', 'there is no such method');
  }
  return rawError('VALIDATION_ERROR', 'the request is not valid HTTP/1.1');
}

const HEADERS = securityHeaders();

/** What Fastify finds wrong with an address before it looks for a route, in the error shape. */
export const frameworkError: NonNullable<FastifyServerOptions['frameworkErrors']> = (error, request, reply) => {
  const message =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? 'a part of the address is longer than 8,192 characters'
      : 'the address is not valid: percent signs must begin an encoded byte, and bytes must be UTF-8';
  const refusal = new RoostError('VALIDATION_ERROR', message, [{ field: 'url', reason: 'invalid' }]);
  const requestId = requestIdOf(request as unknown as ApiRequest);
  void (reply as unknown as FastifyReply)
    .status(ERROR_STATUS[refusal.code])
    .headers({ ...HEADERS, 'x-request-id': requestId })
    .send(new ErrorBody(refusal, requestId));
};

/**
 * Answers a method that a route does not have with 405 and the ones it has, and OPTIONS of a known route with these.
 * To be called before the routes are made. Errors: METHOD_NOT_ALLOWED.
 */
export function answerOddRequests(server: FastifyInstance): void {
  const routes: { pattern: RegExp; methods: string[] }[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    // What takes every address is no route of its own.
    if (!/^\/?\*$/.test(url)) routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  server.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const [path = ''] = request.url.split('?', 1);
    const allowed = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods));
    if (allowed.size === 0) return;
    const allow = [...allowed, 'OPTIONS'].sort().join(', ');
    void reply.header('allow', allow);
    if (request.method === 'OPTIONS') return reply.status(204).send();
    throw new RoostError('METHOD_NOT_ALLOWED', `this address takes ${allow}`, [{ reason: 'method', allow }]);
  });
}

/** A route's address as Fastify writes it: `:name`, `:name(one|other)`, a last `*`. */
function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment === '*') return '.*';
    const [, choices] = /^:\w+(?:\(([\w|]+)\))?$/.exec(segment) ?? [];
    if (segment.startsWith(':')) return choices === undefined ? '[^/]+' : `(?:${choices})`;
    return segment.replaceAll(/[^\w-]/g, (char) => `\\${char}`);
  });
  return new RegExp(`^${segments.join('/')}$`);
}
