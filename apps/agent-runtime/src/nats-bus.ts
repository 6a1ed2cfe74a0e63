import type { Bus } from '#lib/bus';
import type { BusPort } from './bus-port.js';

/** The brain's port on the service's bus. */
export function natsBus(bus: Bus): BusPort {
  const { connection } = bus;
  return {
    request: (contract, input, context) => bus.request(contract, input, context),
    publish: (subject, payload) => {
      // A hint or a delta is not worth an error: while the connection is down it is lost, as promised.
      if (!connection.isClosed()) connection.publish(subject, payload);
    },
    subscribe: (subject, onMessage, queue) => {
      const subscription = connection.subscribe(subject, {
        ...(queue ? { queue } : {}),
        callback: (error, message) => {
          if (!error) onMessage(message.string());
        },
      });
      return () => subscription.unsubscribe();
    },
  };
}
