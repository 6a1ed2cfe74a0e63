import { ERROR_STATUS, type RoostError } from '#lib/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorBody } from './error-body.js';
import { requestIdOf } from './request.js';

/**
 * Answers with an error while something else still works on the request: whatever that would send is dropped. The rest
 * of the body is not read any more, so the connection closes: what comes after it would not be understood.
 */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: RoostError): void {
  if (reply.sent || reply.raw.headersSent) {
    request.raw.destroy();
    return;
  }
  const body = JSON.stringify(new ErrorBody(error, requestIdOf(request)));
  reply.hijack();
  // What was on its way may have been compressed already; this is not.
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined && name !== 'content-encoding') reply.raw.setHeader(name, value);
  if (error.code === 'UNAUTHORIZED') reply.raw.setHeader('www-authenticate', 'Bearer');
  reply.raw.writeHead(ERROR_STATUS[error.code], {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  reply.raw.end(body, () => request.raw.destroy());
}
