import { RoostError } from '#lib/contracts';
import type { FastifyInstance } from 'fastify';
import type { Identities } from '../accounts/identities.js';
import type { RateLimiter } from '../limits/rate-limiter.js';
import { type CallingRequest, endpointOf } from './endpoint.js';

/** What anybody may make us read before we know who they are: accounts and codes are short. */
const PUBLIC_BODY_BYTES = 64 * 1024;
const PUBLIC_RAW_BYTES = 1024 ** 2;

/**
 * Lets a request in as its endpoint declares, before any of its body is read: a caller without a key cannot make us
 * take in and parse 32 MiB. Errors: UNAUTHORIZED, RATE_LIMITED, FEATURE_DISABLED.
 */
export function addAuthentication(server: FastifyInstance, identities: Identities, rateLimiter: RateLimiter): void {
  server.addHook('onRoute', (route) => {
    const endpoint = endpointOf(route);
    if (endpoint?.access === 'public')
      route.bodyLimit = endpoint.accepts?.includes('raw') ? PUBLIC_RAW_BYTES : PUBLIC_BODY_BYTES;
  });
  server.addHook('onRequest', async (request: CallingRequest, reply) => {
    const endpoint = endpointOf(request.routeOptions);
    if (!endpoint || endpoint.access === 'public') return;
    const shown = credentialOf(request);
    const identity = shown ? await identities.of(shown) : undefined;
    if (!identity)
      throw new RoostError('UNAUTHORIZED', 'a valid API key or token is needed: send Authorization: Bearer roost_sk_…');
    rateLimiter.admit(identity.accountId, reply);
    if (endpoint.access === 'account' && !identity.agentsEnabled)
      throw new RoostError(
        'FEATURE_DISABLED',
        'AI agents are not enabled for this account: ask the operator to enable them',
      );
    request.accountId = identity.accountId;
    request.agentsEnabled = identity.agentsEnabled;
    request.identity = identity;
    if (identity.userId !== undefined) request.userId = identity.userId;
  });
}

function credentialOf(request: CallingRequest): string | undefined {
  const alias = request.headers['x-shinzo-api-key'];
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return bearer ?? (typeof alias === 'string' ? alias : undefined);
}
