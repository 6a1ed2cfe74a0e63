import { RoostError } from '#lib/contracts';
import { checkUrl, type GuardPolicy, isBlocked, resolveChecked } from '#lib/net-guard';

/**
 * Checks a receiver's URL when it is registered, its present addresses included. A name that cannot be resolved now is
 * accepted: each delivery checks again what it dials.
 * Errors: VALIDATION_ERROR.
 */
export async function checkReceiver(text: string, policy: GuardPolicy): Promise<void> {
  const { hostname } = checkUrl(text, policy);
  try {
    await resolveChecked(hostname, policy);
  } catch (error) {
    if (!isBlocked(error)) return;
    throw new RoostError('VALIDATION_ERROR', 'url: leads to an address that may not be called', [
      { field: 'url', reason: 'blocked_address' },
    ]);
  }
}
