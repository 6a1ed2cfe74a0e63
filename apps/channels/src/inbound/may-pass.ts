import { RoostError, type ErrorCode } from '#lib/contracts';
import { DeliveryError } from '../adapters/delivery-error.js';

const PASSING: ErrorCode[] = ['SERVICE_UNAVAILABLE', 'RATE_LIMITED', 'REQUEST_TIMEOUT'];

/** Whether a message could not be handled since a service or platform is away: it has nothing to do with that. */
export function mayPass(error: unknown): boolean {
  if (error instanceof DeliveryError) return error.outcome === 'retry';
  return error instanceof RoostError && PASSING.includes(error.code);
}
