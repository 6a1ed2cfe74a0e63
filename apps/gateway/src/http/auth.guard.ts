import { RoostError } from '#lib/contracts';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Identities } from '../accounts/identities.js';
import type { FastifyReply } from 'fastify';
import { RateLimiter } from '../limits/rate-limiter.js';
import { type CallingRequest, ENDPOINT, type EndpointDefinition } from './endpoint.js';

/** Lets a request in as its endpoint declares. A route without a declaration lets nobody in. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly identities: Identities,
    private readonly rateLimiter: RateLimiter,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const definition = Reflect.getMetadata(ENDPOINT, execution.getHandler()) as EndpointDefinition | undefined;
    if (!definition)
      throw new Error(`route ${execution.getClass().name}.${execution.getHandler().name} declares no access`);
    if (definition.access === 'public') return true;
    const request = execution.switchToHttp().getRequest<CallingRequest>();
    const shown = credentialOf(request);
    const identity = shown ? await this.identities.of(shown) : undefined;
    if (!identity)
      throw new RoostError('UNAUTHORIZED', 'a valid API key or token is needed: send Authorization: Bearer roost_sk_…');
    this.rateLimiter.admit(identity.accountId, execution.switchToHttp().getResponse<FastifyReply>());
    if (definition.access === 'account' && !identity.agentsEnabled)
      throw new RoostError(
        'FEATURE_DISABLED',
        'AI agents are not enabled for this account: ask the operator to enable them',
      );
    request.accountId = identity.accountId;
    request.agentsEnabled = identity.agentsEnabled;
    if (identity.userId !== undefined) request.userId = identity.userId;
    return true;
  }
}

function credentialOf(request: CallingRequest): string | undefined {
  const alias = request.headers['x-shinzo-api-key'];
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return bearer ?? (typeof alias === 'string' ? alias : undefined);
}
