import { ERROR_STATUS, type ErrorCode, RoostError } from '#lib/contracts';
import { newId } from '#lib/database';
import { STATUS_CODES } from 'node:http';
import { ErrorBody } from './error-body.js';

/** A whole answer in the error shape, for a connection on which there is no request to answer. */
export function rawError(code: ErrorCode, message: string): string {
  const requestId = `req_${newId()}`;
  const body = JSON.stringify(new ErrorBody(new RoostError(code, message), requestId));
  const status = ERROR_STATUS[code];
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
