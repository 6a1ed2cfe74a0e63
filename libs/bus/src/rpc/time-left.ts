import type { RequestContract } from '#lib/contracts';
import type { CallContext } from './call-context.js';
import { ANSWERED_LATE, unavailable } from './unavailable.js';

/** Milliseconds that a request has: the contract's, or what is left of its caller's. Errors: SERVICE_UNAVAILABLE. */
export function timeLeft(contract: RequestContract, { deadline }: CallContext): number {
  const left = Math.min(contract.timeoutMs, deadline - Date.now());
  if (left <= 0) throw unavailable(contract, ANSWERED_LATE);
  return left;
}
