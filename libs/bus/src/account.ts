import { RoostError } from '#lib/contracts';
import type { CallContext } from './rpc/index.js';

/** The tenant a request is made for. Errors: UNAUTHORIZED when a handler that serves accounts is asked without one. */
export function accountOf(context: CallContext): string {
  if (!context.accountId) throw new RoostError('UNAUTHORIZED', 'this request needs an account');
  return context.accountId;
}
