import type { Database } from '#lib/database';
import { LiveGauge, type Logger } from '#lib/observability';
import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { Bus } from './bus.js';
import { consumptionsOf, type EventHandler } from './inbox/consumes.js';
import { type ConsumerBinding, EventConsumer } from './inbox/event-consumer.js';
import { OutboxRelay } from './outbox/outbox-relay.js';

const SWEEP_MS = 60_000;
const BATCH = 5_000;

const backlog = new LiveGauge('roost_outbox_backlog', 'Events that are committed and not yet published');
const oldest = new LiveGauge('roost_outbox_oldest_age_seconds', 'Age of the oldest event that is not yet published');

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

/**
 * Keeps outbox and inbox bounded: published events go after 24 h (as long as a lost stream can be refilled from
 * them), inbox rows after 7 days (longer than any event is redelivered). In bounded batches, so that no sweep
 * holds locks for long. Gives the function that stops it.
 */
function sweepEventTables(database: Database, onError: (error: unknown) => void): () => void {
  const sweep = async () => {
    await database.query(
      `DELETE FROM outbox WHERE id IN (
         SELECT id FROM outbox WHERE created_at < now() - interval '24 hours' AND published_at IS NOT NULL LIMIT ${BATCH})`,
    );
    await database.query(
      `DELETE FROM inbox WHERE (consumer, event_id) IN (
         SELECT consumer, event_id FROM inbox WHERE received_at < now() - interval '7 days' LIMIT ${BATCH})`,
    );
  };
  const timer = setInterval(() => void sweep().catch(onError), SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
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
