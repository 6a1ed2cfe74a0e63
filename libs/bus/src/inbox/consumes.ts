import type { EventContract } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { z } from 'zod';

const CONSUMES = Symbol('roost:consumes');

/** An event as its consumer sees it beside the payload. */
export interface ReceivedEvent {
  /** The same at every redelivery. */
  id: string;
  subject: string;
}

export type EventHandler<P> = (payload: P, tx: Transaction, event: ReceivedEvent) => Promise<void>;

export interface Consumption {
  event: EventContract;
  method: string;
  concerns: (sent: unknown) => boolean;
}

/**
 * Carries out an event's effect with this method of a provider or controller. The inbox row and the effect share
 * `tx`; the event is acknowledged after commit, so the effect happens once however often it is delivered.
 * One at a time per process, as published; what throws is tried again with backoff, later events going on meanwhile.
 * `concerns` decides by the payload as it was sent, in wire form, whether there is anything to do: what it refuses is
 * not even parsed.
 */
export function Consumes<P extends z.ZodType>(
  event: EventContract<P>,
  concerns: (sent: z.input<P>) => boolean = () => true,
) {
  return <F extends EventHandler<z.output<P>>>(
    target: object,
    key: string,
    _descriptor: TypedPropertyDescriptor<F>,
  ): void => {
    const prototype = target as { [CONSUMES]?: Consumption[] };
    prototype[CONSUMES] = [
      ...(prototype[CONSUMES] ?? []),
      { event, method: key, concerns: concerns as Consumption['concerns'] },
    ];
  };
}

export function consumptionsOf(instance: object): Consumption[] {
  return (instance as { [CONSUMES]?: Consumption[] })[CONSUMES] ?? [];
}
