import type { RequestContract } from '#lib/contracts';
import type { CallContext } from '#lib/bus/rpc';
import type { z } from 'zod';

/** What the brain needs of the bus. Kept this small so that turns can be tested without one. */
export interface BusPort {
  /** Errors: those of the contract; SERVICE_UNAVAILABLE as `requestOverNats` describes it. */
  request<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
    context?: CallContext,
  ): Promise<z.output<O>>;
  /** At most once; never waits. */
  publish(subject: string, payload: string): void;
  /** Gives the function that ends the subscription. With a `queue`, one member of it gets each message. */
  subscribe(subject: string, onMessage: (payload: string) => void, queue?: string): () => void;
}
