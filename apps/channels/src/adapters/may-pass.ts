import { RoostError, type ErrorCode } from '#lib/contracts';
import { DeliveryError } from './delivery-error.js';

const PASSING: ErrorCode[] = ['SERVICE_UNAVAILABLE', 'RATE_LIMITED', 'REQUEST_TIMEOUT'];

/** Whether something failed since a service or platform is away: the message that it was about has nothing to do with that. */
export function mayPass(error: unknown): boolean {
  if (error instanceof DeliveryError) return error.outcome === 'retry';
  return error instanceof RoostError && PASSING.includes(error.code);
}
