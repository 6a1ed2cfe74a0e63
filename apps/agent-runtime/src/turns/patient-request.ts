import type { Bus } from '#lib/bus';
import { ownCall } from '#lib/call-context';
import { type RequestContract, RoostError } from '#lib/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';

const TRIES = 30;
/** What waits for the answer has it at most so long after messaging is back. */
const MAX_PAUSE_MS = 2_000;

/**
 * Asks messaging about a turn, for about a minute while it is away. Only for requests that may be repeated. Errors: those
 * of the contract; an AbortError once `signal` is aborted.
 */
export async function patientRequest<I extends z.ZodType, O extends z.ZodType>(
  bus: Bus,
  contract: RequestContract<I, O>,
  input: z.output<I> & { turnId: string },
  signal?: AbortSignal,
): Promise<z.output<O>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bus.request(contract, input, ownCall(`turn_${input.turnId}`));
    } catch (error) {
      if (!(error instanceof RoostError && error.code === 'SERVICE_UNAVAILABLE') || attempt === TRIES) throw error;
      await sleep(Math.min(200 * 2 ** attempt, MAX_PAUSE_MS), undefined, signal ? { signal } : {});
    }
  }
}
