import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Bus } from './bus.js';
import { consumptionsOf, type EventHandler } from './inbox/consumes.js';
import { type ConsumerBinding, EventConsumer } from './inbox/event-consumer.js';
import { measureOutbox } from './outbox/outbox-metrics.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { sweepEventTables } from './retention.js';

/** Runs a service's outbox relay and its `@Consumes` methods until stopped. */
export function startEventDelivery(
  app: INestApplicationContext,
  { bus, database, logger }: { bus: Bus; database: Database; logger: Logger },
): { stop(): Promise<void> } {
  const relay = new OutboxRelay(database, bus.connection, logger);
  const consumer = new EventConsumer(bus.service, findConsumers(app), database, bus.connection, logger);
  const stopSweep = sweepEventTables(database, (error) => logger.warn({ err: error }, 'old events could not be swept'));
  const stopMeasuring = measureOutbox(database, bus.service);
  relay.start();
  consumer.start();
  return {
    async stop() {
      stopSweep();
      await consumer.stop();
      await relay.stop();
      stopMeasuring();
    },
  };
}

function findConsumers(app: INestApplicationContext): ConsumerBinding[] {
  const discovery = app.get(DiscoveryService);
  return [...discovery.getProviders(), ...discovery.getControllers()].flatMap(({ instance }) => {
    if (typeof instance !== 'object' || instance === null) return [];
    const methods = instance as Record<string, EventHandler<unknown>>;
    return consumptionsOf(methods).map(
      ({ event, method, concerns }) =>
        ({
          event,
          concerns,
          handle: (payload, tx, received) => methods[method]!(payload, tx, received),
        }) satisfies ConsumerBinding,
    );
  });
}
