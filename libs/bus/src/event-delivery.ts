import type { Database } from '#lib/database';
import { LiveGauge, type Logger } from '#lib/observability';
import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Bus } from './bus.js';
import { consumptionsOf, type EventHandler } from './inbox/consumes.js';
import { type ConsumerBinding, EventConsumer } from './inbox/event-consumer.js';
import { OutboxRelay } from './outbox/outbox-relay.js';

const backlog = new LiveGauge('roost_outbox_backlog', 'Events that are committed and not yet published');
const oldest = new LiveGauge('roost_outbox_oldest_age_seconds', 'Age of the oldest event that is not yet published');

/** Runs a service's outbox relay and its `@Consumes` methods until stopped. */
export function startEventDelivery(
  app: INestApplicationContext,
  { bus, database, logger }: { bus: Bus; database: Database; logger: Logger },
): { stop(): Promise<void> } {
  const relay = new OutboxRelay(database, bus.connection, logger, bus.tracer);
  const consumer = new EventConsumer(bus.service, findConsumers(app), database, bus.connection, logger, bus.tracer);
  const stopMeasuring = measureOutbox(database, bus.service);
  relay.start();
  consumer.start();
  return {
    async stop() {
      await consumer.stop();
      await relay.stop();
      stopMeasuring();
    },
  };
}

/** Everything that Nest made for this service. */
export function providersOf(app: INestApplicationContext): object[] {
  const discovery = app.get(DiscoveryService);
  const instances = [...discovery.getProviders(), ...discovery.getControllers()].map(
    ({ instance }) => instance as unknown,
  );
  // One that is exported and imported again is found twice.
  return [...new Set(instances.filter((instance) => typeof instance === 'object' && instance !== null))];
}

function findConsumers(app: INestApplicationContext): ConsumerBinding[] {
  return providersOf(app).flatMap((instance) => {
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

/** Shows how far a service's relay is behind. Gives the function that ends it. */
function measureOutbox(database: Database, service: string): () => void {
  const numberOf = async (sql: string) => Number((await database.query<{ value: string }>(sql))[0]?.value ?? 0);
  const ends = [
    backlog.measure(service, () => numberOf(`SELECT count(*) AS value FROM outbox WHERE published_at IS NULL`)),
    oldest.measure(service, () =>
      numberOf(
        `SELECT greatest(extract(epoch FROM clock_timestamp() - created_at), 0) AS value
         FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1`,
      ),
    ),
  ];
  return () => ends.forEach((end) => end());
}
