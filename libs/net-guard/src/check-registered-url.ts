import { RoostError } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkUrl } from './check-url.js';
import { type GuardPolicy, isBlocked, resolveChecked } from './policy.js';

/** Who registers waits for it, within a request's time: a slower name counts as one that cannot be resolved. */
const LOOKUP_MS = 2_000;

/**
 * The one check of a URL when it is registered, whoever will call it: its text, and the addresses that its name has now.
 * A name that cannot be resolved now is accepted: whoever calls it checks again what it dials.
 * Errors: VALIDATION_ERROR naming `field`.
 */
export async function checkRegisteredUrl(text: string, policy: GuardPolicy, field = 'url'): Promise<void> {
  try {
    const { hostname } = checkUrl(text, policy);
    await Promise.race([resolveChecked(hostname, policy), sleep(LOOKUP_MS, undefined, { ref: false })]);
  } catch (error) {
    if (!(error instanceof RoostError)) throw error;
    if (error.code === 'VALIDATION_ERROR')
      throw new RoostError(
        'VALIDATION_ERROR',
        error.message.replace(/^url/, field),
        error.details.map((detail) => ({ ...detail, field })),
      );
    if (isBlocked(error))
      throw new RoostError('VALIDATION_ERROR', `${field}: leads to an address that may not be called`, [
        { field, reason: 'blocked_address' },
      ]);
  }
}
