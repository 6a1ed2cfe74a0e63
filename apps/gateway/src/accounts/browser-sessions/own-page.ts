import { RoostError } from '#lib/contracts';
import type { FastifyRequest } from 'fastify';
import { isRead } from '../../http/request.js';

/** Pages of other origins cannot send it without asking first, and are never allowed to with cookies. */
export const CSRF_HEADER = 'x-roost-csrf';

const isSafe = ({ method }: FastifyRequest) => isRead(method) || method === 'OPTIONS';

/**
 * Whether the browser states that a page of this Roost sent the request, or, of a read, the person by its address.
 * SameSite does not suffice: other ports of this machine, and other hosts of the domain, are the same site.
 */
export function isOfOwnPage(request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (typeof site === 'string') return site === 'same-origin' || (site === 'none' && isSafe(request));
  // Browsers leave it out over plain HTTP, and send the origin with whatever is no read.
  if (typeof origin === 'string') return hostOf(origin) === request.host;
  return isSafe(request);
}

/** What a cookie may change, or what gives one, is asked for by a page of ours. Errors: ACCESS_DENIED. */
export function requireOwnPage(request: FastifyRequest): void {
  if (isSafe(request)) return;
  if (isOfOwnPage(request) && request.headers[CSRF_HEADER] !== undefined) return;
  throw new RoostError(
    'ACCESS_DENIED',
    'a cookie counts only from a page of this Roost that sends X-Roost-CSRF: 1; programs send Authorization: Bearer …',
    [{ field: 'X-Roost-CSRF', reason: 'cross_site' }],
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** Whether the request came from this machine, to it by name: a proxy in front of Roost is called by another one. */
export const isFromThisMachine = ({ ip, host }: FastifyRequest): boolean =>
  LOOPBACK_ADDRESS.test(ip) && LOOPBACK_HOST.test(host);
