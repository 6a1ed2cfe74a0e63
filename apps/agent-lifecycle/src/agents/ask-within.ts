import { type Bus, currentCall, ownCall } from '#lib/bus';
import type { RequestContract } from '#lib/contracts';
import type { z } from 'zod';

const PATIENCE_MS = 1_000;

/** Asks for what an answer can do without: `fallback` when the other service is away, slow or refuses. */
export async function askWithin<I extends z.ZodType, O extends z.ZodType>(
  bus: Bus,
  contract: RequestContract<I, O>,
  input: z.output<I>,
  fallback: z.output<O>,
): Promise<z.output<O>> {
  const call = currentCall() ?? ownCall('req_lifecycle');
  const deadline = Math.min(call.deadline, Date.now() + PATIENCE_MS);
  return bus.request(contract, input, { ...call, deadline }).catch(() => fallback);
}
