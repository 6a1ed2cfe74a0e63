import { declareEventsStream } from '#lib/bus';
import type { EventContract } from '#lib/contracts';
import { newId, outboxRow } from '#lib/database';
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';

/** Publishes an event as the relay of its service does, for suites in which that service does not run. */
export async function publishEvent<P extends z.ZodType>(
  connection: NatsConnection,
  event: EventContract<P>,
  payload: z.output<P>,
): Promise<void> {
  await declareEventsStream(connection);
  const row = outboxRow(event, payload, '');
  const hdrs = headers();
  for (const [name, value] of Object.entries(JSON.parse(row.headers) as Record<string, string>)) hdrs.set(name, value);
  hdrs.set('roost-event-id', newId());
  await jetstream(connection).publish(row.subject, row.payload, { headers: hdrs });
}
