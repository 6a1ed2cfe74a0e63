import { RoostError } from '#lib/contracts';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { definitionOf, type EndpointDefinition } from './endpoint.js';
import type { ApiRequest } from './request.js';

/**
 * Lets in whom an endpoint declares. The authentication hook asks before a body is read, so that a caller who is refused
 * sends none; Nest asks again before every method, so that one that no hook looked at is called by nobody.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  /** Errors: UNAUTHORIZED, ACCESS_DENIED, FEATURE_DISABLED. */
  canActivate(context: ExecutionContext): boolean {
    const endpoint = definitionOf(context.getHandler());
    if (!endpoint) return false;
    this.require(endpoint, context.switchToHttp().getRequest<ApiRequest>());
    return true;
  }

  require({ access }: EndpointDefinition, { identity }: Pick<ApiRequest, 'identity'>): void {
    if (access === 'public') return;
    if (!identity)
      throw new RoostError('UNAUTHORIZED', 'a valid API key or token is needed: send Authorization: Bearer roost_sk_…');
    if (access === 'operator' && !identity.isOperator)
      throw new RoostError(
        'ACCESS_DENIED',
        'only operators of this Roost may do this: whoever runs it can make one by `npx roost admin account make-operator WHO`',
      );
    if (access === 'account' && !identity.agentsEnabled)
      throw new RoostError(
        'FEATURE_DISABLED',
        'AI agents are not enabled for this account: ask the operator to enable them',
      );
  }
}
