import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { REFRESH_SECONDS } from '../tokens/tokens.js';

/**
 * Cookies do not tell ports apart: each Roost of one machine has a name of its own. Over HTTPS the browser itself sees
 * to it that no other host and no plain page has set it (RFC 6265bis 4.1.3.2).
 */
function nameOf(request: FastifyRequest): string {
  const port = /:(\d+)$/.exec(request.host)?.[1];
  const name = port === undefined ? 'roost_session' : `roost_session_${port}`;
  return isSecure(request) ? `__Host-${name}` : name;
}

const isSecure = (request: FastifyRequest) => request.protocol === 'https';

/** What the session's cookie holds. */
export function sessionTokenOf(request: FastifyRequest): string | undefined {
  const { cookie } = request.headers;
  return cookie === undefined ? undefined : parseCookie(cookie)[nameOf(request)];
}

export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, token: string): void {
  write(request, reply, token, REFRESH_SECONDS);
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  write(request, reply, '', 0);
}

function write(request: FastifyRequest, reply: FastifyReply, value: string, maxAge: number): void {
  const isKept = { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure(request), maxAge } as const;
  void reply.header('set-cookie', stringifySetCookie({ name: nameOf(request), value, ...isKept }));
}
