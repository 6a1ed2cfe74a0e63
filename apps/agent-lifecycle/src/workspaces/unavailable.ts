import { RoostError } from '#lib/contracts';

/** A workspace cannot be had; the message tells what to do about it. */
export function unavailable(message: string): RoostError {
  return new RoostError('AGENT_UNAVAILABLE', message, [{ reason: 'workspace' }], 10);
}
