import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Authenticator } from '../accounts/authenticator.js';
import { isOfOwnPage, requireOwnPage } from '../accounts/browser-sessions/own-page.js';
import { sessionTokenOf, setSessionCookie } from '../accounts/browser-sessions/session-cookie.js';
import type { AddressLimiter } from '../limits/address-limiter.js';
import type { LongRequests } from '../limits/long-requests.js';
import type { RateLimiter } from '../limits/rate-limiter.js';
import type { AccessGuard } from './access.guard.js';
import { endpointOf } from './endpoint.js';
import { type ApiRequest, isRead } from './request.js';

/** What anybody may make us read before we know who they are: accounts and codes are short. */
const PUBLIC_BODY_BYTES = 64 * 1024;
const PUBLIC_RAW_BYTES = 1024 ** 2;

interface Admission {
  authenticator: Authenticator;
  guard: AccessGuard;
  rateLimiter: RateLimiter;
  addresses: AddressLimiter;
  longRequests: LongRequests;
}

/**
 * Lets a request in as its endpoint declares, before any of its body is read: a caller without a key cannot make us
 * take in and parse 32 MiB. What comes without a good key is counted by address; a webhook, whose signature is over its
 * body, only when it is refused. Errors: UNAUTHORIZED, RATE_LIMITED, FEATURE_DISABLED.
 */
export function addAuthentication(
  server: FastifyInstance,
  { authenticator, guard, rateLimiter, addresses, longRequests }: Admission,
): void {
  server.addHook('onRoute', (route) => {
    const endpoint = endpointOf(route);
    if (endpoint?.access === 'public')
      route.bodyLimit = endpoint.accepts?.includes('raw') ? PUBLIC_RAW_BYTES : PUBLIC_BODY_BYTES;
  });
  const identify = async ({ credential, isCookie }: Shown, request: ApiRequest, reply: FastifyReply) => {
    try {
      if (!isCookie) return await authenticator.identify(credential);
      requireOwnPage(request);
      const found = await authenticator.identifyBrowser(credential);
      if (found?.nextToken !== undefined) setSessionCookie(request, reply, found.nextToken);
      return found?.identity;
    } catch (error) {
      // Good tokens of people without an account here, and whatever else costs us work for nobody.
      addresses.count(request.ip);
      throw error;
    }
  };
  server.addHook('onRequest', async (request: ApiRequest, reply) => {
    const endpoint = endpointOf(request.routeOptions);
    const shown = endpoint && endpoint.access !== 'public' ? shownBy(request) : undefined;
    addresses.admit(request.ip, shown?.credential);
    if (!endpoint || endpoint.access === 'public') {
      if (!endpoint?.accepts?.includes('raw')) addresses.count(request.ip);
      return;
    }
    const identity = shown && (await identify(shown, request, reply));
    if (identity && shown) {
      addresses.prove(shown.credential);
      rateLimiter.admit(identity.accountId, reply);
      request.identity = identity;
    } else {
      addresses.count(request.ip);
    }
    guard.require(endpoint, request);
    if (identity) longRequests.admit(identity.accountId, request, reply);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const isRefused = reply.statusCode >= 400 && reply.statusCode < 500;
    if (isRefused && endpointOf(request.routeOptions)?.accepts?.includes('raw')) addresses.count(request.ip);
    done();
  });
}

interface Shown {
  credential: string;
  isCookie: boolean;
}

/** A key or token in a header goes before a cookie, which the browser sends along unasked. */
function shownBy(request: ApiRequest): Shown | undefined {
  const credential = headerCredentialOf(request);
  if (credential !== undefined) return { credential, isCookie: false };
  const cookie = sessionTokenOf(request);
  // What another page reads is answered as if nobody had signed in.
  return cookie === undefined || (isRead(request.method) && !isOfOwnPage(request))
    ? undefined
    : { credential: cookie, isCookie: true };
}

function headerCredentialOf(request: ApiRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  // The older name, and the one that most APIs have.
  const alias = request.headers['x-shinzo-api-key'] ?? request.headers['x-api-key'];
  return typeof alias === 'string' ? alias : undefined;
}
