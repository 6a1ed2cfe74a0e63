import { LOGGER } from '#lib/bus';
import { ERROR_STATUS, type ErrorCode, RoostError } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ErrorBody } from './error-body.js';
import { type ApiRequest, requestIdOf } from './request.js';

/** The one place where errors become HTTP (spec: 00-overview, "Shapes"). */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<ApiRequest>();
    const requestId = requestIdOf(request);
    const reply = http.getResponse<FastifyReply>();
    const known = this.asRoostError(error, requestId);
    const body = new ErrorBody(known, requestId);
    if (reply.sent || reply.raw.headersSent) {
      // Half a response is out: cutting the connection is the only way left to say that it is not whole.
      if (!reply.raw.writableEnded) reply.raw.destroy();
      void request.idempotent?.complete(body, ERROR_STATUS[known.code]);
      return;
    }
    if (known.code === 'UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer');
    if (known.retryAfterSeconds !== undefined || ERROR_STATUS[known.code] === 503)
      void reply.header('retry-after', String(known.retryAfterSeconds ?? 5));
    void reply.status(ERROR_STATUS[known.code]).header('x-request-id', requestId).send(body);
  }

  private asRoostError(error: unknown, requestId: string): RoostError {
    if (error instanceof RoostError) return error;
    const status = statusOf(error);
    if (status !== undefined && status < 500) return new RoostError(codeOf(status), messageOf(error, status));
    this.logger.error({ err: error, requestId }, 'a request failed unexpectedly');
    return new RoostError('INTERNAL', 'something went wrong on our side; the request id helps to find it');
  }
}

/** Fastify's own errors carry a statusCode, Nest's are HttpExceptions. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function codeOf(status: number): ErrorCode {
  const codes: Record<number, ErrorCode> = {
    401: 'UNAUTHORIZED',
    403: 'ACCESS_DENIED',
    404: 'NOT_FOUND',
    405: 'METHOD_NOT_ALLOWED',
    408: 'REQUEST_TIMEOUT',
    409: 'CONFLICT',
    413: 'PAYLOAD_TOO_LARGE',
    415: 'UNSUPPORTED_MEDIA_TYPE',
    429: 'RATE_LIMITED',
  };
  return codes[status] ?? 'VALIDATION_ERROR';
}

function messageOf(error: unknown, status: number): string {
  if (status === 404) return 'there is no such route; /openapi.json lists them all';
  if (status === 413) return 'the body is too large';
  if (status === 415) return 'the body must be JSON: send content-type: application/json';
  return error instanceof Error && /json/i.test(error.message)
    ? 'the body is not valid JSON'
    : 'the request is not valid';
}
